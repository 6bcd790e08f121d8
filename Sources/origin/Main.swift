import ArgumentParser
import ControlPlane
import NodeCommand

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "origin",
        abstract:
            "Takes broadcasts from publishers (WHIP) and serves them to edges and, where allowed, to viewers (WHEP).",
        discussion: NodeOptions.discussion, version: CascadeVersion.current)

    @OptionGroup var options: NodeOptions

    func run() async throws { try await options.run(as: .origin) }
}
