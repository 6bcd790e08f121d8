import FoundationEssentials
package import Logging

/// How log lines look on standard error.
package enum LogFormat: String, CaseIterable, Sendable {
    /// `2026-11-22T10:00:00.000Z info session opened session=Ab3dE remote=192.0.2.1:5000`
    case text
    /// One JSON object per line: `time level message`, then the metadata as strings.
    case json
}

/// Makes each event one line, and never waits for whoever reads them. Message texts are constant; what varies is metadata
/// under fixed keys.
package struct StructuredLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider? = .httpRequest
    private let format: LogFormat
    private let addresses: LogAddresses
    /// nil: nowhere.
    package let output: LineWriter?

    package init(
        format: LogFormat, level: Logger.Level, addresses: LogAddresses = .full, output: LineWriter? = nil
    ) {
        (self.format, logLevel, self.addresses, self.output) = (format, level, addresses, output)
    }

    /// Makes this, writing to `descriptor`, the handler of every logger, libraries' included. At most once in a process.
    package static func bootstrap(
        format: LogFormat, level: Logger.Level, addresses: LogAddresses, descriptor: Int32
    ) -> LineWriter {
        let output = LineWriter(descriptor: descriptor) { missing in
            let handler = StructuredLog(format: format, level: level)
            return handler.line(
                level: .warning, message: "log lines dropped", metadata: ["count": "\(missing)"], time: Date())
        }
        LoggingSystem.bootstrap { _ in
            StructuredLog(format: format, level: level, addresses: addresses, output: output)
        }
        return output
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        output?.write(
            line(
                level: event.level, message: event.message.description, metadata: event.metadata, error: event.error,
                time: Date()))
    }

    /// The whole line, with its line break. Control characters of values are escaped: nobody's user agent writes lines.
    func line(
        level: Logger.Level, message: String, metadata extra: Logger.Metadata?, error: (any Error)? = nil, time: Date
    ) -> String {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let extra { all.merge(extra) { $1 } }
        if let error, all["error"] == nil { all["error"] = "\(error)" }
        // Here and nowhere before: whatever is logged, by libraries too, passes.
        let message = addresses.shown(in: message)
        let pairs = all.map { (key: $0.key, value: addresses.shown(in: "\($0.value)")) }
            .sorted { (Self.rank($0.key), $0.key) < (Self.rank($1.key), $1.key) }
        let stamp = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch format {
        case .text:
            let fields = pairs.map { " \($0.key)=\(Self.textValue($0.value))" }.joined()
            return "\(stamp) \(level.rawValue) \(Self.escaped(message))\(fields)\n"
        case .json:
            let head = [("time", stamp), ("level", level.rawValue), ("message", message)]
            let fields = (head + pairs.map { ($0.key, $0.value) }).map {
                "\"\(Self.escaped($0))\":\"\(Self.escaped($1))\""
            }
            return "{\(fields.joined(separator: ","))}\n"
        }
    }

    /// What a line is about comes first, in this order; the rest by name.
    private static func rank(_ key: String) -> Int {
        ["node", "worker", "broadcast", "session", "remote", "reason"].firstIndex(of: key) ?? .max
    }

    private static func textValue(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
        let text = escaped(value)
        return isPlain && text == value ? value : "\"\(text)\""
    }

    /// The inside of a JSON string (RFC 8259 §7), DEL and the C1 controls escaped as well.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value || 0x2028...0x2029 ~= scalar.value:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
