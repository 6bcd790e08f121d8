// The core is sans I/O because it cannot do otherwise: what it may import is checked against its sources.
import Foundation
import Testing

@Suite struct ModuleBoundaryTests {
    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources")

    static func imports(of module: String) throws -> Set<String> {
        let folder = sources.appendingPathComponent(module)
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)!
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        try #require(files.count > 5, "sources of \(module) not found")
        var found: Set<String> = []
        let pattern =
            #/^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:public |package |internal |fileprivate |private )?import\s+(?:(?:struct|class|enum|func|var|protocol|typealias)\s+)?(\w+)/#
        for file in files {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                if let match = line.firstMatch(of: pattern) { found.insert(String(match.1)) }
            }
        }
        return found
    }

    @Test func webRTCImportsOnlyCryptography() throws {
        #expect(try Self.imports(of: "WebRTC") == ["COpenSSL", "CSRTP"])
    }

    @Test func forwardingImportsOnlyWebRTCAndCollections() throws {
        #expect(try Self.imports(of: "Forwarding") == ["WebRTC", "HeapModule"])
    }

    @Test func routingImportsOnlyTheGenerator() throws {
        #expect(try Self.imports(of: "Routing") == ["WebRTC"])
    }

    @Test func theCheckSeesImports() throws {
        #expect(try Self.imports(of: "ControlPlane").contains("Hummingbird"))
    }
}
