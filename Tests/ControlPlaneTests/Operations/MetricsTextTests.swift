import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// What Prometheus would say about /metrics: every line parses, each family is declared once and before its samples, no
// series twice, and labels hold nothing that grows with the audience.

/// A strict reader of the text exposition format 0.0.4.
private struct Exposition {
    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
    }

    var types: [String: String] = [:]
    var samples: [Sample: Double] = [:]
    var errors: [String] = []

    init(_ text: String) {
        if !text.hasSuffix("\n") { errors.append("no line break at the end") }
        var current: String?
        var helped: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                if words.count < 4 || types[words[2]] != nil { errors.append("HELP: \(line)") }
                helped = words.count > 2 ? words[2] : nil
            } else if line.hasPrefix("# TYPE ") {
                if words.count != 4 || words[2] != helped || !["counter", "gauge"].contains(words[3]) {
                    errors.append("TYPE: \(line)")
                    continue
                }
                if words[3] == "counter", !words[2].hasSuffix("_total") { errors.append("counter's name: \(line)") }
                current = words[2]
                types[words[2]] = words[3]
            } else if let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)/) {
                if String(match.1) != current { errors.append("outside its family: \(line)") }
                guard let labels = Self.labels(String(match.3 ?? "")), let value = Double(match.4) else {
                    errors.append("sample: \(line)")
                    continue
                }
                let sample = Sample(name: String(match.1), labels: labels)
                if samples.updateValue(value, forKey: sample) != nil { errors.append("twice: \(line)") }
            } else {
                errors.append("line: \(line)")
            }
        }
    }

    private static func labels(_ text: String) -> [String: String]? {
        var result: [String: String] = [:]
        var rest = Substring(text)
        while !rest.isEmpty {
            guard let match = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,(?=.)|$)/),
                result.updateValue(String(match.2), forKey: String(match.1)) == nil
            else { return nil }
            rest = rest[match.range.upperBound...]
        }
        return result
    }
}

@Suite struct MetricsTextTests {
    private static var metrics: NodeMetrics {
        var metrics = NodeMetrics(node: "origin-1", role: .origin, region: "eu")
        metrics.uptime = .milliseconds(1_500)
        metrics.sessions.present = [.publisher: 1, .viewer: 3, .relay: 1]
        metrics.sessions.counters.opened = [.publisher: 2]
        metrics.sessions.counters.closed = [.requested: 4]
        metrics.requests = [
            .init(listener: "public", method: "POST", route: "/whep/{broadcast}", status: 201): 3,
            .init(listener: "public", method: "POST", route: "/whep/{broadcast}", status: 409): 1,
        ]
        var worker = UnitStatistics()
        worker.packetsOut = .max
        worker.drops[Int(DropReason.malformedSTUN.rawValue)] = 7
        metrics.workers = [worker, UnitStatistics()]
        metrics.sessions.counters.relayFailures = 5
        metrics.refused = [.connections: [.share: 6]]
        metrics.fragmented = FragmentedDatagrams(snmp: "Ip: InReceives FragOKs\nIp: 1 9\n", snmp6: "")
        metrics.directory = .init()
        metrics.directory?.streams = [.above: 2]
        return metrics
    }

    @Test func everyLineIsValid() {
        let exposition = Exposition(Self.metrics.render())
        #expect(exposition.errors == [])
        #expect(exposition.types.keys.allSatisfy { $0.hasPrefix("sfu_") })
        #expect(exposition.types.count >= 20)
    }

    @Test func valuesAreTheOnesCounted() {
        let samples = Exposition(Self.metrics.render()).samples
        #expect(samples[.init(name: "sfu_sessions", labels: ["kind": "relay"])] == 1)
        #expect(samples[.init(name: "sfu_sessions", labels: ["kind": "upstream"])] == 0)
        #expect(samples[.init(name: "sfu_relay_failures_total", labels: [:])] == 5)
        #expect(samples[.init(name: "sfu_uptime_seconds", labels: [:])] == 1.5)
        #expect(samples[.init(name: "sfu_ready", labels: [:])] == 1)
        #expect(samples[.init(name: "sfu_sessions_closed_total", labels: ["reason": "requested"])] == 4)
        #expect(samples[.init(name: "sfu_sessions_closed_total", labels: ["reason": "setup_timeout"])] == 0)
        #expect(samples[.init(name: "sfu_drops_total", labels: ["worker": "0", "reason": "malformed_stun"])] == 7)
        #expect(samples[.init(name: "sfu_drops_total", labels: ["worker": "1", "reason": "malformed_stun"])] == 0)
        #expect(samples.keys.count { $0.name == "sfu_drops_total" } == 2 * DropReason.allCases.count)
        #expect(samples[.init(name: "sfu_rtp_packets_sent_total", labels: ["worker": "0"])] == Double(UInt64.max))
        let fragmented = samples.filter { $0.key.name == "sfu_host_datagrams_fragmented_total" }
        #expect(fragmented.map(\.key.labels) == [["family": "ipv4"]] && fragmented.map(\.value) == [9])
        let refused = ["resource": "connections", "reason": "share"]
        #expect(samples[.init(name: "sfu_refused_total", labels: refused)] == 6)
        let route = ["listener": "public", "method": "POST", "route": "/whep/{broadcast}", "status": "409"]
        #expect(samples[.init(name: "sfu_http_requests_total", labels: route)] == 1)
    }

    @Test func onlyKnownLabelsAppear() {
        let labels = Set(Exposition(Self.metrics.render()).samples.keys.flatMap(\.labels.keys))
        #expect(
            labels == [
                "version", "node", "role", "region", "listener", "method", "route", "status", "kind", "reason",
                "worker", "state", "source", "resource", "family",
            ])
    }

    @Test func anEmptyNodeRendersToo() {
        #expect(Exposition(NodeMetrics(node: "e", role: .edge, region: "eu").render()).errors == [])
    }

    @Test func labelsAreEscapedAndSpecialValuesSpelled() {
        var text = PrometheusText()
        text.family("x", .gauge, "a\\b\nc")
        text.sample("x", 1, [("l", "a\"b\\c\nd")])
        text.sample("x", Double.infinity, [("l", "inf")])
        text.sample("x", -Double.infinity, [("l", "-inf")])
        text.sample("x", Double.nan, [("l", "nan")])
        #expect(
            text.text == """
                # HELP x a\\\\b\\nc
                # TYPE x gauge
                x{l="a\\"b\\\\c\\nd"} 1
                x{l="inf"} +Inf
                x{l="-inf"} -Inf
                x{l="nan"} NaN

                """)
        #expect(Exposition(text.text).errors == [])
    }

    @Test(arguments: [
        ("malformedSTUN", "malformed_stun"), ("unknownUfrag", "unknown_ufrag"),
        ("srtpAuthentication", "srtp_authentication"),
        ("duplicate", "duplicate"), ("beforeKeys", "before_keys"), ("malformedRTCP", "malformed_rtcp"),
    ])
    func reasonsAreSnakeCase(name: String, expected: String) {
        #expect(NodeMetrics.snakeCase(name) == expected)
    }

    /// A test of the reader: it must refuse, or the tests above say nothing.
    @Test(arguments: [
        "sfu_x 1\n", "# HELP sfu_x h\n# TYPE sfu_x gauge\nsfu_x 1", "# TYPE sfu_x gauge\nsfu_x 1\n",
        "# HELP sfu_x h\n# TYPE sfu_x gauge\nsfu_x 1\nsfu_x 1\n",
        "# HELP sfu_x h\n# TYPE sfu_x gauge\nsfu_x{a=\"b\",} 1\n",
        "# HELP sfu_x h\n# TYPE sfu_x counter\nsfu_x 1\n", "# HELP sfu_x h\n# TYPE sfu_x gauge\nsfu_x{a=\"b\"c\"} 1\n",
        "# HELP sfu_x h\n# TYPE sfu_x gauge\nsfu_x one\n",
    ])
    func theReaderIsStrict(_ text: String) {
        #expect(Exposition(text).errors != [])
    }
}
