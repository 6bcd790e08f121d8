/// The Prometheus text exposition format, version 0.0.4: families of samples, each with HELP and TYPE.
package struct PrometheusText: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge
    }

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text = ""

    package init() {}

    /// Begins a family; its samples must follow before the next one. `name` is complete, `_total` of counters included.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        let escaped = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(name) \(escaped)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func sample(_ name: String, _ value: some BinaryInteger, _ labels: [(String, String)] = []) {
        line(name, labels, "\(value)")
    }

    package mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        line(name, labels, value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)")
    }

    /// A whole family: one sample, without labels.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        family(name, kind, help)
        sample(name, value)
    }

    package mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, value)
    }

    /// A whole family: a sample for each value of `label`.
    package mutating func family<Value: BinaryInteger>(
        _ name: String, _ kind: Kind, _ help: String, by label: String, _ values: some Sequence<(String, Value)>
    ) {
        family(name, kind, help)
        for (which, value) in values { sample(name, value, [(label, which)]) }
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " " + value + "\n"
    }

    private static func escaped(_ label: String) -> String {
        label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
