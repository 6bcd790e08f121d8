import ControlPlane
import Foundation
import Logging
import Testing

// The exit codes that scripts rely on, as far as no node has to run for them.

@Suite struct NodeProgramTests {
    private func program(_ role: Topology.Role, _ file: String, node: String? = nil, isCheck: Bool) -> NodeProgram {
        NodeProgram(
            role: role, topologyFile: file, nodeName: node, isCheck: isCheck, logLevel: .critical, logFormat: .text)
    }

    @Test func aValidFileIsCleanAndABrokenOneIs78() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "cascade-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "topology.yaml")
        let yaml = """
            version: 1
            auth: { publish: open, watch: open, node: open }
            regions: [{ name: eu }]
            nodes: [{ name: o, role: origin, region: eu }, { name: e, role: edge, region: eu, upstream: { static: [o] } }]
            """
        try Data(yaml.utf8).write(to: file)
        #expect(await program(.origin, file.path, isCheck: true).run() == .clean)
        #expect(await program(.edge, file.path, node: "e", isCheck: true).run() == .clean)
        #expect(await program(.edge, file.path, node: "o", isCheck: true).run() == .badConfiguration)
        #expect(await program(.edge, file.path, node: "nobody", isCheck: false).run() == .badConfiguration)
        try Data((yaml + "\nnonsense: 1\n").utf8).write(to: file)
        #expect(await program(.origin, file.path, isCheck: false).run() == .badConfiguration)
        try Data([0xFF, 0x00, 0xFE]).write(to: file)
        #expect(await program(.origin, file.path, isCheck: true).run() == .badConfiguration)
        #expect(NodeProgram.Exit.badConfiguration.rawValue == 78)
        #expect(NodeProgram.Exit.failure.rawValue == 1)
    }
}
