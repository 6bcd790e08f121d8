import ArgumentParser
import ControlPlane
import NodeCommand

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge",
        abstract: "Serves broadcasts to viewers (WHEP), pulling each wanted one once from the nodes above.",
        discussion: NodeOptions.discussion, version: CascadeVersion.current)

    @OptionGroup var options: NodeOptions

    func run() async throws { try await options.run(as: .edge) }
}
