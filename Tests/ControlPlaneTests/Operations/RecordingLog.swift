import ControlPlane
import Logging
import Synchronization

/// Remembers what was logged, metadata behind the text.
final class LogRecord: Sendable {
    private let entries = Mutex<[String]>([])

    var lines: [String] { entries.withLock { $0 } }
    func add(_ line: String) { entries.withLock { $0.append(line) } }
    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }

    var logger: Logger { Logger(label: "test") { _ in RecordingLog(record: self) } }
}

struct RecordingLog: LogHandler {
    let record: LogRecord
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider? = .httpRequest

    init(record: LogRecord) { self.record = record }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (metadataProvider?.get() ?? [:]).merging(event.metadata ?? [:]) { $1 }
        let all = fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        record.add(([event.message.description] + all).joined(separator: " "))
    }
}
