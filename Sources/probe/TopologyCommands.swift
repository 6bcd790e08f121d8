import ArgumentParser
import ControlPlane
import FoundationEssentials

struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Checks a topology as a whole, and renders from it what runs around the nodes.",
        discussion: "No secret and no certificate is looked at. Exit code 78: the topology cannot be used for that.",
        subcommands: [Check.self, Render.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Says everything that is wrong with a topology.")

        @Argument(help: ArgumentHelp("The deployment.", valueName: "file"))
        var file = "topology.yaml"

        func run() throws {
            let topology = try orExit { () throws(ConfigurationError) in try Topology.load(file: file).topology }
            let count = { (role: Topology.Role) in topology.nodes.count { $0.role == role } }
            Console.line(
                "\(file): valid: \(count(.origin)) origins and \(count(.edge)) edges in \(topology.regions.count) regions"
            )
        }
    }

    struct Render: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes the configuration of what runs around the nodes.",
            discussion: """
                The same topology gives the same bytes. Files in the folder that this command did not write for the same \
                target are never changed: where one is in the way nothing is written at all. Its own files that it would \
                not write any more are removed.
                With --verify nothing is written; exit code 1 if files are stale, missing, or not of this topology.
                """)

        @Argument(help: ArgumentHelp("The deployment.", valueName: "file"))
        var file = "topology.yaml"

        @Option(help: "For what.")
        var target: RenderTarget

        @Option(help: ArgumentHelp("A folder for this target alone; made if it is not there.", valueName: "folder"))
        var out: String

        @Flag(help: "Compare only.")
        var verify = false

        func run() throws {
            let files = try orExit { () throws(ConfigurationError) in
                try target.files(of: Topology.load(file: file).topology, file: file)
            }
            let folder = RenderedFolder(path: out, target: target)
            if verify {
                let faults = try folder.faults(against: files)
                for fault in faults { Console.note(fault) }
                guard faults.isEmpty else { throw ExitCode.failure }
                Console.line("\(out): up to date (\(files.count) files)")
            } else {
                for change in try folder.write(files) { Console.line(change) }
            }
        }
    }
}

/// EX_CONFIG of sysexits.h, as nodes say it.
private let badConfiguration = ExitCode(78)

func orExit<Value>(_ work: () throws(ConfigurationError) -> Value) throws -> Value {
    do throws(ConfigurationError) {
        return try work()
    } catch {
        Console.note(error.description)
        throw badConfiguration
    }
}
