import ControlPlane
import WebRTC

/// What the probe itself discarded of what arrived or was to be sent, by reason; counters that are read again and again.
package struct DropMeter: Sendable {
    /// The names of the nodes' metrics, and `unsent`: read from a file or a port, and too much for the worker.
    private static let names = DropReason.allCases.map { NodeMetrics.snakeCase("\($0)") } + ["unsent"]

    private var latest = [UInt64](repeating: 0, count: names.count)
    private var reported = [UInt64](repeating: 0, count: names.count)

    package init() {}

    /// - Parameter drops: of one worker or the sum of several, as in `UnitStatistics`.
    package mutating func sample(_ drops: [UInt64], unsent: UInt64 = 0) { latest = drops + [unsent] }

    /// Since the last call.
    package mutating func second() -> [String: UInt64] {
        defer { reported = latest }
        return named(zip(latest, reported).map { $0 - min($0, $1) })
    }

    package var total: [String: UInt64] { named(latest) }

    private func named(_ counts: [UInt64]) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: zip(Self.names, counts).filter { $0.1 > 0 })
    }

    /// For people; nil: nothing was dropped.
    static func text(_ dropped: [String: UInt64]) -> String? {
        guard !dropped.isEmpty else { return nil }
        let reasons = dropped.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "dropped \(dropped.values.reduce(0, +)) (\(reasons.joined(separator: ", ")))"
    }
}
