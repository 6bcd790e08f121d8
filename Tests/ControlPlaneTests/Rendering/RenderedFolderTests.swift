import Foundation
import Testing

@testable import probe

// What is written where, and what is never touched.

@Suite final class RenderedFolderTests {
    private let folder: RenderedFolder
    private let files: [RenderedFile]
    private static let mark = RenderTarget.compose.mark(for: "a")

    init() throws {
        folder = RenderedFolder(
            path: FileManager.default.temporaryDirectory.appending(path: "rendered-\(UUID().uuidString)").path,
            target: .compose)
        files = [
            .init(path: "a", text: Self.mark + "\n1\n"), .init(path: "below/b", text: Self.mark + "\n2\n"),
        ]
    }

    private func place(_ file: String) -> String { folder.path + "/" + file }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    @Test func writesOnceAndThenNothing() throws {
        #expect(try folder.faults(against: files) == ["missing: \(place("a"))", "missing: \(place("below/b"))"])
        #expect(try folder.write(files) == ["written: \(place("a"))", "written: \(place("below/b"))"])
        #expect(try folder.faults(against: files) == [])
        #expect(try folder.write(files) == ["\(folder.path): nothing to change"])
    }

    @Test func saysWhatIsStaleMissingAndForeign() throws {
        _ = try folder.write(files)
        try "x".write(toFile: place("a"), atomically: true, encoding: .utf8)
        try "y".write(toFile: place("c"), atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: place("below/b"))
        #expect(
            try folder.faults(against: files) == [
                "stale: \(place("a"))", "missing: \(place("below/b"))", "foreign: \(place("c"))",
            ])
    }

    /// All or nothing: a folder with half of the new files would be worse than the old one.
    @Test func neverOverwritesWhatSomebodyElseWrote() throws {
        try FileManager.default.createDirectory(atPath: place("below"), withIntermediateDirectories: true)
        try "mine".write(toFile: place("below/b"), atomically: true, encoding: .utf8)
        let error = #expect(throws: ProbeError.self) { try folder.write(files) }
        #expect(error.map { "\($0)" }?.contains("\(place("below/b")) is there and not of this command") == true)
        #expect(try String(contentsOfFile: place("below/b"), encoding: .utf8) == "mine")
        #expect(!FileManager.default.fileExists(atPath: place("a")))
    }

    @Test func removesItsOwnLeftovers() throws {
        _ = try folder.write(files)
        try "y".write(toFile: place("c"), atomically: true, encoding: .utf8)
        #expect(try folder.write([files[0]]) == ["removed: \(place("below/b"))"])
        #expect(try folder.faults(against: [files[0]]) == ["foreign: \(place("c"))"])
    }

    /// Two targets in one folder are two owners.
    @Test func anotherTargetIsSomebodyElse() throws {
        _ = try folder.write(files)
        #expect(throws: ProbeError.self) { try RenderedFolder(path: folder.path, target: .systemd).write(files) }
    }
}
