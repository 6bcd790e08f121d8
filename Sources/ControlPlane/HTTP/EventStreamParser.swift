/// Reads `text/event-stream` (HTML Standard §9.2) as it arrives, in pieces of any size.
package struct EventStreamParser: Sendable {
    package struct Event: Hashable, Sendable {
        /// `message` where the stream names none.
        package var name: String
        /// Lines joined by LF.
        package var data: String

        package init(name: String, data: String) { (self.name, self.data) = (name, data) }
    }

    /// The stream cannot be followed any further.
    package enum Failure: Error, Hashable, Sendable {
        /// A line or an event passes `longest`.
        case tooLong
    }

    /// Bytes of one line, and of one event's data.
    package static let longest = 16 << 20

    private let limit: Int
    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false
    /// The last byte was CR: an LF that follows belongs to it.
    private var isAfterCR = false
    private var isFirstLine = true

    package init() { self.init(limit: Self.longest) }

    /// - Parameter limit: in place of `longest`.
    init(limit: Int) { self.limit = limit }

    /// Takes the next bytes; the events that end in them, in order. After a failure the parser is of no more use.
    package mutating func append(_ bytes: some Collection<UInt8>) throws(Failure) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while let byte = rest.first {
            if isAfterCR {
                isAfterCR = false
                if byte == UInt8(ascii: "\n") {
                    rest = rest.dropFirst()
                    continue
                }
            }
            guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
                try extend(by: rest)
                break
            }
            try extend(by: rest[..<end])
            isAfterCR = rest[end] == UInt8(ascii: "\r")
            rest = rest[rest.index(after: end)...]
            if let event = try endLine() { events.append(event) }
        }
        return events
    }

    private mutating func extend(by bytes: some Collection<UInt8>) throws(Failure) {
        guard line.count + bytes.count <= limit else { throw .tooLong }
        line += bytes
    }

    /// The event that an empty line ends.
    private mutating func endLine() throws(Failure) -> Event? {
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        defer { line.removeAll(keepingCapacity: line.count <= 64 << 10) }
        guard !line.isEmpty else { return endEvent() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            guard data.count + value.count < limit else { throw .tooLong }
            if hasData { data.append(UInt8(ascii: "\n")) }
            hasData = true
            data += value
        case "event": name = String(decoding: value, as: UTF8.self)
        default: break  // A comment (the name is empty), `id` and `retry`, or a field that nobody knows.
        }
        return nil
    }

    private mutating func endEvent() -> Event? {
        defer {
            name = ""
            data.removeAll(keepingCapacity: data.count <= 64 << 10)
            hasData = false
        }
        guard hasData else { return nil }
        return Event(name: name.isEmpty ? "message" : name, data: String(decoding: data, as: UTF8.self))
    }
}
