import Foundation
import Testing

// Folders are no boundary that the compiler enforces, so this test is: each uses only those before it.

@Suite struct FolderOrderTests {
    /// The last one is the module's own folder.
    private static let order = [
        "Time", "Logging", "Files", "Secrets", "TLS", "Topology", "Admission", "Authorization", "HTTP", "Discovery",
        "Relay",
        "Sessions", "Operations", "Signaling", "ControlPlane",
    ]

    private struct Source {
        var folder: String
        var name: String
        var code: String
    }

    private static func sources() throws -> [Source] {
        let module = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/ControlPlane")
        let files = FileManager.default.enumerator(at: module, includingPropertiesForKeys: nil)!
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        return try files.map { file in
            let text = try String(contentsOf: file, encoding: .utf8)
            let code = text.replacing(#/\/\/[^\n]*/#, with: "").replacing(#/"(?:[^"\\\n]|\\.)*"/#, with: "")
            return Source(
                folder: file.deletingLastPathComponent().lastPathComponent, name: file.lastPathComponent, code: code)
        }
    }

    private static func declared(in code: String) -> [(indentation: Int, name: String)] {
        let declaration =
            #/(?:^|\n)( *)(?:package |final |indirect |private |fileprivate )*(?:struct|class|enum|actor|protocol|typealias) (\w+)/#
        return code.matches(of: declaration).map { ($0.1.count, String($0.2)) }
    }

    @Test func eachFolderUsesOnlyThoseBeforeIt() throws {
        let sources = try Self.sources()
        try #require(sources.count > 80)
        var home: [String: String] = [:]
        var names: [String: Set<String>] = [:]
        for source in sources {
            #expect(Self.order.contains(source.folder), "\(source.folder) has no place in the order")
            for (indentation, name) in Self.declared(in: source.code) {
                if indentation == 0 { home[name] = source.folder }
                names[source.folder, default: []].insert(name)
            }
        }
        let place = Dictionary(uniqueKeysWithValues: Self.order.enumerated().map { ($1, $0) })
        for source in sources {
            let words = Set(source.code.matches(of: #/\b[A-Z]\w+\b/#).map { String($0.0) })
            for word in words.subtracting(names[source.folder] ?? []) {
                guard let other = home[word], place[other, default: 0] > place[source.folder, default: 0]
                else { continue }
                Issue.record("\(source.folder)/\(source.name) uses \(word) of \(other)")
            }
        }
        #expect(home["Sessions"] == "Sessions" && home["Topology"] == "Topology", "the test sees declarations")
    }
}
