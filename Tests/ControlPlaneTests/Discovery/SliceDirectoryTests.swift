import FoundationEssentials
import Glibc
import Testing
import WebRTC

@testable import ControlPlane

// Files that come, change, break and go, and what of it counts.

@Suite struct SliceDirectoryTests {
    private struct Folder: ~Copyable {
        let path = FileManager.default.temporaryDirectory.appending(path: "cascade-\(UInt64.random(in: 0 ... .max))")
            .path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
        }
    }

    private func directory(_ path: String) -> SliceDirectory {
        SliceDirectory(path: path, parser: .init(service: "origin", port: 9_080))
    }

    private func hosts(_ change: SliceDirectory.Change) -> [String]? { change.endpoints?.map(\.address.host) }

    @Test func filesComeChangeAndGo() throws {
        let folder = try Folder()
        var directory = directory(folder.path)
        #expect(hosts(directory.scan(now: .zero)) == nil)
        try folder.write(SliceSample.json("10.0.0.1"), to: "a.json")
        #expect(hosts(directory.scan(now: .seconds(1))) == ["10.0.0.1"])
        #expect(hosts(directory.scan(now: .seconds(2))) == nil, "nothing has changed")
        try folder.write(SliceSample.json("10.0.0.2"), to: "b.yaml")
        try folder.write(SliceSample.json("10.0.0.3"), to: "notes.txt")
        try folder.write(SliceSample.json("10.0.0.4"), to: ".hidden.json")
        #expect(hosts(directory.scan(now: .seconds(3))) == ["10.0.0.1", "10.0.0.2"])
        // The same length, and within the clock's grain: still seen, at the latest by the next look.
        try folder.write(SliceSample.json("10.0.0.9"), to: "a.json")
        let seen = hosts(directory.scan(now: .seconds(4))) ?? hosts(directory.scan(now: .seconds(5)))
        #expect(seen == ["10.0.0.9", "10.0.0.2"])
        try FileManager.default.removeItem(atPath: folder.path + "/b.yaml")
        #expect(hosts(directory.scan(now: .seconds(6))) == ["10.0.0.9"])
        // The last one goes: what it said stays, until there is something else.
        try FileManager.default.removeItem(atPath: folder.path + "/a.json")
        #expect(hosts(directory.scan(now: .seconds(7))) == nil)
        try folder.write(SliceSample.json("10.0.0.5"), to: "c.json")
        #expect(hosts(directory.scan(now: .seconds(8))) == ["10.0.0.5"])
    }

    /// A hole of 64 GiB: more than there is memory to read it into.
    @Test func whatIsTooLargeIsNotRead() throws {
        let folder = try Folder()
        var directory = directory(folder.path)
        try folder.write("", to: "a.json")
        let isCut = unsafe truncate(folder.path + "/a.json", 64 << 30) == 0
        try #require(isCut)
        #expect(
            directory.scan(now: .zero).problems == [
                .init(file: "a.json", reason: "has \(64 << 30) bytes; \(EndpointSliceParser.longestFile) are the most")
            ])
    }

    @Test func brokenFilesKeepTheirLastGoodStateAndAreReportedOnce() throws {
        let folder = try Folder()
        var directory = directory(folder.path)
        try folder.write(SliceSample.json("10.0.0.1"), to: "a.json")
        try folder.write(SliceSample.json("10.0.0.2"), to: "b.json")
        _ = directory.scan(now: .zero)
        let whole = SliceSample.json("10.0.0.3")
        try folder.write(String(whole.prefix(whole.count / 2)), to: "a.json")
        var change = directory.scan(now: .seconds(1))
        #expect(change.problems.map(\.file) == ["a.json"])
        #expect(change.problems.first?.reason.hasPrefix("is not JSON: line 1, column ") == true, "\(change.problems)")
        #expect(hosts(change) == nil && change.failures == 1)
        // The other file goes on, and the broken one is not reported again.
        try folder.write(SliceSample.json("10.0.0.20"), to: "b.json")
        change = directory.scan(now: .seconds(2))
        #expect(change.problems.isEmpty)
        #expect(hosts(change) == ["10.0.0.1", "10.0.0.20"])
        // Broken in another way: said when ten seconds have passed since the last time.
        try folder.write("", to: "a.json")
        #expect(directory.scan(now: .seconds(3)).problems.isEmpty)
        #expect(directory.scan(now: .seconds(12)).problems == [.init(file: "a.json", reason: "is empty")])
        try folder.write(whole, to: "a.json")
        #expect(hosts(directory.scan(now: .seconds(13))) == ["10.0.0.3", "10.0.0.20"])
    }

    /// How the kubelet changes a mounted ConfigMap: a new versioned folder, and one rename of the link `..data`.
    @Test func configMapSwaps() throws {
        let folder = try Folder()
        let manager = FileManager.default
        func version(_ name: String, _ address: String) throws {
            try manager.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: false)
            try folder.write(SliceSample.json(address), to: name + "/slices.json")
            try manager.createSymbolicLink(atPath: folder.path + "/..data_tmp", withDestinationPath: name)
            #expect(unsafe rename(folder.path + "/..data_tmp", folder.path + "/..data") == 0)
        }
        try version("..2026_01_01", "10.0.0.1")
        try manager.createSymbolicLink(atPath: folder.path + "/slices.json", withDestinationPath: "..data/slices.json")
        var directory = directory(folder.path)
        #expect(hosts(directory.scan(now: .zero)) == ["10.0.0.1"])
        try version("..2026_01_02", "10.0.0.2")
        #expect(hosts(directory.scan(now: .seconds(1))) == ["10.0.0.2"])
        try manager.removeItem(atPath: folder.path + "/..2026_01_01")
        #expect(hosts(directory.scan(now: .seconds(2))) == nil)
    }

    @Test func linksLeadNowhereElse() throws {
        let folder = try Folder()
        let outside = try Folder()
        let manager = FileManager.default
        try outside.write(SliceSample.json("10.0.0.1"), to: "slices.json")
        try outside.write("root:hunter2:19000", to: "shadow")
        let next = folder.path + "-next"
        try manager.createDirectory(atPath: next, withIntermediateDirectories: false)
        defer { try? manager.removeItem(atPath: next) }
        try Data(SliceSample.json("10.0.0.3").utf8).write(to: URL(filePath: next + "/x.json"))
        for (name, target) in [
            ("a.json", outside.path + "/slices.json"), ("b.yaml", outside.path + "/shadow"), ("c.json", "/etc/passwd"),
            ("d.json", "../" + next.split(separator: "/").last! + "/x.json"), ("e.json", "e.json"),
        ] { try manager.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target) }
        try folder.write(SliceSample.json("10.0.0.2"), to: "own.json")
        try manager.createSymbolicLink(atPath: folder.path + "/own-too.json", withDestinationPath: "own.json")
        // The directory itself may be a link.
        try manager.createSymbolicLink(atPath: outside.path + "/mount", withDestinationPath: folder.path)
        for path in [folder.path, outside.path + "/mount"] {
            var directory = directory(path)
            let change = directory.scan(now: .zero)
            #expect(hosts(change) == ["10.0.0.2"])
            let reasons = Dictionary(uniqueKeysWithValues: change.problems.map { ($0.file, $0.reason) })
            for name in ["a.json", "b.yaml", "c.json", "d.json"] {
                #expect(reasons[name] == "is a symbolic link that leads out of the directory", "\(name)")
            }
            #expect(change.problems.count == 5, "\(change.problems)")
        }
    }

    @Test func missingDirectory() throws {
        let folder = try Folder()
        var directory = directory(folder.path + "/later")
        let problem = SliceDirectory.Problem(
            file: folder.path + "/later", reason: "cannot be read (is it there, and a directory?)")
        #expect(directory.scan(now: .zero).problems == [problem])
        #expect(directory.scan(now: .seconds(60)).problems.isEmpty)
        try FileManager.default.createDirectory(atPath: folder.path + "/later", withIntermediateDirectories: false)
        try folder.write(SliceSample.json("10.0.0.1"), to: "later/a.json")
        #expect(hosts(directory.scan(now: .seconds(61))) == ["10.0.0.1"])
        try FileManager.default.removeItem(atPath: folder.path + "/later")
        #expect(hosts(directory.scan(now: .seconds(62))) == nil)
    }
}
