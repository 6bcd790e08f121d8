import Foundation
import Logging
import Synchronization
import Testing

@testable import ControlPlane

// Files that are replaced under a running node, the ways editors, `mv` and Kubernetes do it.

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cascade-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { _ = try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// A whole file takes the name at once.
    func put(_ text: String, at name: String) throws {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    }
}

@Suite("Followed files", .serialized) struct FollowedFilesTests {
    /// What a group was given, last one last.
    private final class Seen: Sendable {
        private let all = Mutex<[String]>([])
        var last: String? { all.withLock { $0.last } }
        var different: Int { all.withLock { Set($0).count } }
        func add(_ text: String) { all.withLock { $0.append(text) } }
    }

    /// Follows `files`, whose texts joined must not hold "bad", while `body` runs.
    private func following(
        _ files: [String], _ record: LogRecord = LogRecord(), _ body: @Sendable @escaping (Seen) async throws -> Void
    ) async throws {
        let seen = Seen()
        let group = FollowedFiles.Group("test", files) { () async throws(FollowedFiles.Failure) in
            var texts: [String] = []
            for file in files {
                guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { throw .init("missing") }
                guard !text.contains("bad") else { throw .init("bad") }
                texts.append(text)
            }
            seen.add(texts.joined(separator: "+"))
        }
        let service = FollowedFiles([group], logger: record.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            defer { group.cancelAll() }
            try await body(seen)
        }
    }

    @Test func replacedFilesAreReadAgainTogether() async throws {
        let folder = try TemporaryFolder()
        try folder.put("a1", at: "a")
        try folder.put("b1", at: "b")
        try await following([folder.file("a"), folder.file("b")]) { seen in
            #expect(await eventually { seen.last == "a1+b1" })
            try folder.put("b2", at: "b")
            #expect(await eventually { seen.last == "a1+b2" })
            // Written in place, same length.
            let handle = try #require(FileHandle(forWritingAtPath: folder.file("a")))
            try handle.write(contentsOf: Data("a3".utf8))
            try handle.close()
            #expect(await eventually { seen.last == "a3+b2" })
        }
    }

    @Test func kubernetesSwapsOfAWholeFolderAreSeen() async throws {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        for version in ["v1", "v2"] {
            try manager.createDirectory(atPath: folder.file(version), withIntermediateDirectories: false)
            try folder.put(version, at: version + "/secret")
        }
        try manager.createSymbolicLink(atPath: folder.file("..data"), withDestinationPath: "v1")
        try manager.createSymbolicLink(atPath: folder.file("secret"), withDestinationPath: "..data/secret")
        try await following([folder.file("secret")]) { seen in
            #expect(await eventually { seen.last == "v1" })
            try manager.createSymbolicLink(atPath: folder.file("..data_tmp"), withDestinationPath: "v2")
            try #require(unsafe rename(folder.file("..data_tmp"), folder.file("..data")) == 0)
            #expect(await eventually { seen.last == "v2" })
        }
    }

    /// Files that are written again and again while they are looked at: each version that counts is told of.
    @Test(.timeLimit(.minutes(5))) func everyVersionThatIsReadIsTold() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        try folder.put("v0", at: "a")
        try await following([folder.file("a")], record) { seen in
            #expect(await eventually { seen.last == "v0" })
            var version = 0
            while seen.different < 4 {
                version += 1
                try folder.put("v\(version)", at: "a")
                try await Task.sleep(for: .milliseconds(20))
            }
            let last = "v\(version)"
            #expect(await eventually { seen.last == last })
            #expect(await eventually { record.count("files read again what=test") >= seen.different - 1 })
        }
    }

    @Test func whatCannotBeUsedChangesNothingAndIsLoggedOnce() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        try folder.put("good", at: "a")
        try await following([folder.file("a")], record) { seen in
            #expect(await eventually { seen.last == "good" })
            try folder.put("bad", at: "a")
            #expect(await eventually { record.count("files not usable") == 1 })
            try FileManager.default.removeItem(atPath: folder.file("a"))
            #expect(await eventually { record.count("reason=missing") == 1 })
            #expect(seen.last == "good")
            try folder.put("better", at: "a")
            #expect(await eventually { seen.last == "better" })
            #expect(record.count("files not usable") == 2, "\(record.lines)")
            #expect(await eventually { record.count("files read again what=test") == 1 })
        }
    }
}
