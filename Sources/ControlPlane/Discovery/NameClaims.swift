/// Who says of itself that it is which node: two processes with one name take each other's relays, and each other's place
/// in directories.
///
/// A process that is restarted, or moves, has a new instance, and of the old one nothing is heard any more. So two
/// instances are two processes that live when each has been heard after the other was first heard:
///
///     one process after the other      two processes
///     A ●──●                           A ●────────●
///     B       ●──●                     B     ●        → conflict when A is heard again
package struct NameClaims: Sendable {
    package struct Conflict: Hashable, Sendable {
        package var name: String
        /// Where the two were heard, the one that was there first before the other.
        package var addresses: [String]
    }

    private struct Claim {
        let instance: String
        /// Where it was heard last.
        var address: String
        /// When it was heard first and last, from any zero.
        let since: Duration
        var heard: Duration
        /// This process: it lives.
        var isOwn = false
    }

    private struct Record {
        var claims: [Claim] = []
        /// Pairs of instances that were found, and those of them that have been told.
        var found: Set<Set<String>> = []
        var told: Set<Set<String>> = []
        var lastTold: Duration?

        var heard: Duration { claims.map { $0.isOwn ? .seconds(Int64.max) : $0.heard }.max() ?? .zero }
    }

    /// Beyond these the one that was heard least lately is forgotten.
    static let mostNames = 1_024
    static let mostInstances = 4
    /// Of one name nothing is told sooner after the last time.
    static let quiet = Duration.seconds(10)
    /// A conflict of which nothing is heard for so long is over.
    static let recent = Duration.seconds(60)

    private var records: [String: Record] = [:]
    /// Pairs of processes found so far.
    package private(set) var count: UInt64 = 0

    /// - Parameters: of this process.
    package init(own name: String, instance: String, address: String) {
        let own = Claim(instance: instance, address: address, since: .zero, heard: .zero, isOwn: true)
        records[name] = Record(claims: [own])
    }

    /// A process has said that it is the node `name`.
    ///
    /// - Parameters:
    ///   - instance: empty where it does not say.
    ///   - now: from the same zero each time, never going back.
    /// - Returns: what somebody should be told, each pair of processes once.
    package mutating func hear(_ name: String, _ instance: String, at address: String, now: Duration) -> Conflict? {
        guard !instance.isEmpty else { return nil }
        makeRoom(for: name)
        var record = records[name, default: Record()]
        defer { records[name] = record }
        if let own = record.claims.firstIndex(where: \.isOwn) { record.claims[own].heard = now }
        let claim = Self.note(instance, at: address, now: now, in: &record)
        let others = record.claims.filter { $0.instance != instance && Self.overlap($0, claim) }
        guard let other = others.max(by: { $0.heard < $1.heard }) else { return nil }
        let pair: Set = [instance, other.instance]
        if record.found.insert(pair).inserted { count += 1 }
        guard !record.told.contains(pair), record.lastTold.map({ now - $0 >= Self.quiet }) ?? true else { return nil }
        record.told.insert(pair)
        record.lastTold = now
        return Conflict(name: name, addresses: [claim, other].sorted { $0.since < $1.since }.map(\.address))
    }

    /// Two processes that have the name were both heard lately.
    package func isContested(_ name: String, now: Duration) -> Bool {
        let claims = records[name]?.claims.filter { $0.isOwn || now - $0.heard < Self.recent } ?? []
        return claims.indices.contains { a in claims[..<a].contains { Self.overlap($0, claims[a]) } }
    }

    private static func overlap(_ a: Claim, _ b: Claim) -> Bool {
        (a.isOwn || a.heard >= b.since) && (b.isOwn || b.heard >= a.since)
    }

    private static func note(
        _ instance: String, at address: String, now: Duration, in record: inout Record
    ) -> Claim {
        if let index = record.claims.firstIndex(where: { $0.instance == instance }) {
            record.claims[index].heard = now
            if !record.claims[index].isOwn { record.claims[index].address = address }
            return record.claims[index]
        }
        if record.claims.count >= mostInstances,
            let oldest = record.claims.indices.filter({ !record.claims[$0].isOwn }).min(by: {
                record.claims[$0].heard < record.claims[$1].heard
            })
        {
            let gone = record.claims.remove(at: oldest).instance
            record.found = record.found.filter { !$0.contains(gone) }
            record.told = record.told.filter { !$0.contains(gone) }
        }
        let claim = Claim(instance: instance, address: address, since: now, heard: now)
        record.claims.append(claim)
        return claim
    }

    private mutating func makeRoom(for name: String) {
        guard records[name] == nil, records.count >= Self.mostNames,
            let oldest = records.min(by: { $0.value.heard < $1.value.heard })?.key
        else { return }
        records[oldest] = nil
    }
}
