import FoundationEssentials

/// What the files of a directory say together, read again when they change.
///
/// A file that changes counts from its next whole version on: until then its last good state stays. A file that goes
/// takes its endpoints along, unless nothing would be left: an empty answer never replaces a good one, since a
/// directory that is being unmounted looks the same as a service without pods.
package struct SliceDirectory: Sendable {
    /// A file that cannot be used, or the directory itself.
    package struct Problem: Hashable, Sendable {
        package var file: String
        package var reason: String
    }

    package struct Change: Sendable {
        /// nil: as before.
        package var endpoints: [DiscoveredEndpoint]?
        /// To be logged: each once per file and reason, and at most one per file in ten seconds.
        package var problems: [Problem] = []
        /// Failed readings, logged or not.
        package var failures = 0
        /// Addresses that no node can have, in files read this time.
        package var unusable = 0
    }

    /// More files are not read, in the order of their names.
    package static let mostFiles = 256
    private static let quiet = Duration.seconds(10)

    private struct File {
        var version: FileVersion?
        /// Of the last whole version.
        var endpoints: [DiscoveredEndpoint] = []
        var problem: String?
        var reported: String?
        var reportedAt: Duration?
    }

    package let path: String
    private let parser: EndpointSliceParser
    private var files: [String: File] = [:]
    private var endpoints: [DiscoveredEndpoint] = []
    /// Of the directory itself.
    private var own = File()

    package init(path: String, parser: EndpointSliceParser) { (self.path, self.parser) = (path, parser) }

    /// Looks at names, sizes, times and inodes, behind symbolic links too, and reads what differs.
    ///
    /// - Parameter now: from any zero, never going back.
    package mutating func scan(now: Duration) -> Change {
        var change = Change()
        guard let names = list() else {
            if own.problem == nil { change.failures += 1 }
            own.problem = "cannot be read (is it there, and a directory?)"
            Self.report(path, &own, now: now, into: &change)
            return change
        }
        own.problem = nil
        own.reported = nil
        for name in files.keys where !names.contains(name) { files[name] = nil }
        for name in names { read(name, now: now, into: &change) }
        let next = DiscoveredEndpoint.merged(names.flatMap { files[$0]?.endpoints ?? [] })
        if !next.isEmpty, next != endpoints {
            endpoints = next
            change.endpoints = next
        }
        return change
    }

    /// Sorted; hidden names are left out: Kubernetes' `..data` and versions, and editors' and sidecars' temporary files.
    private func list() -> [String]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
        return Array(names.filter { !$0.hasPrefix(".") && Self.format(of: $0) != nil }.sorted().prefix(Self.mostFiles))
    }

    private static func format(of name: String) -> EndpointSliceParser.Format? {
        if name.hasSuffix(".json") { return .json }
        return name.hasSuffix(".yaml") || name.hasSuffix(".yml") ? .yaml : nil
    }

    private mutating func read(_ name: String, now: Duration, into change: inout Change) {
        var file = files[name] ?? File()
        defer { files[name] = file }
        let (version, isFresh) = FileVersion.of(path + "/" + name)
        if version != nil, version == file.version {
            return Self.report(name, &file, now: now, into: &change)
        }
        file.version = isFresh ? nil : version
        let before = file.problem
        guard let target = ContainedFile.path(of: name, in: path) else {
            file.problem = "is a symbolic link that leads out of the directory"
            if file.problem != before { change.failures += 1 }
            return Self.report(name, &file, now: now, into: &change)
        }
        switch TextFile.read(target, atMost: EndpointSliceParser.longestFile) {
        case .problem(let reason): file.problem = reason
        case .text(let text):
            do throws(EndpointSliceParser.Failure) {
                let result = try parser.parse(text, Self.format(of: name) ?? .yaml)
                file.endpoints = result.endpoints
                file.problem = nil
                file.reported = nil
                change.unusable += isFresh ? 0 : result.unusable
            } catch {
                file.problem = error.description
            }
        }
        if file.problem != nil, file.problem != before { change.failures += 1 }
        Self.report(name, &file, now: now, into: &change)
    }

    private static func report(_ name: String, _ file: inout File, now: Duration, into change: inout Change) {
        guard let problem = file.problem, problem != file.reported else { return }
        if let last = file.reportedAt, now - last < quiet { return }
        (file.reported, file.reportedAt) = (problem, now)
        change.problems.append(.init(file: name, reason: problem))
    }
}
