import Testing
import WebRTC

@testable import ControlPlane

// The HTML Standard's text/event-stream, in any pieces, and whatever else a peer may send.

@Suite struct EventStreamParserTests {
    private typealias Event = EventStreamParser.Event

    private static func events(_ text: String) throws -> [Event] {
        var parser = EventStreamParser()
        return try parser.append(Array(text.utf8))
    }

    @Test(arguments: [
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10")]),
        // The examples of §9.2.6.
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [("message", "first event"), ("message", "second event"), ("message", " third event")]
        ),
        ("data\n\ndata\ndata\n\ndata:", [("message", ""), ("message", "\n")]),
        ("data:test\n\ndata: test\n\n", [("message", "test"), ("message", "test")]),
        // Names; CR, LF and CRLF; a BOM; unknown fields.
        ("event: add\ndata: 1\n\nevent: \ndata: 2\n\n", [("add", "1"), ("message", "2")]),
        ("event: a\rdata: 1\r\revent: b\r\ndata: 2\r\n\r\n", [("a", "1"), ("b", "2")]),
        ("\u{FEFF}data: x\n\n\u{FEFF}data: y\n\n", [("message", "x")]),
        ("foo: bar\nData: no\ndata : no\ndata: yes\n\n", [("message", "yes")]),
        // Without data, or without its empty line, there is no event, and its name is forgotten.
        ("event: add\n\ndata: 1\n\n", [("message", "1")]), ("data: 1\n", []), ("data: 1", []), ("", []), ("\n\n\r", []),
        ("data: a:b: c\n\n:\n:data: x\n\n", [("message", "a:b: c")]),
        ("id: 7\nretry: 1500\n\nid: a\u{0}b\nretry:\ndata: x\nid\nretry: 99999999999999999999\n\n", [("message", "x")]),
    ])
    func standard(text: String, expected: [(String, String)]) throws {
        #expect(try Self.events(text) == expected.map { Event(name: $0.0, data: $0.1) })
    }

    private static let sample =
        "\u{FEFF}: hello\r\n\r\nevent: snapshot\r\ndata: {\"a\":\"é🐟\"}\r\n\r\nevent: b\rdata: 1\rdata: 2\r\rdata\n\n:\n\nid: 3\ndata: end\n\n"

    @Test func everySplitPosition() throws {
        let bytes = Array(Self.sample.utf8)
        let whole = try Self.events(Self.sample)
        #expect(whole.count == 4)
        for first in 0...bytes.count {
            for second in first...min(first + 3, bytes.count) {
                var parser = EventStreamParser()
                let parts = [bytes[..<first], bytes[first..<second], bytes[second...]]
                #expect(try parts.flatMap { try parser.append($0) } == whole, "\(first) \(second)")
            }
        }
    }

    @Test func boundsHold() throws {
        for text in ["data: 12345678901", String(repeating: "x", count: 17), "data: 1234\ndata: 5678\ndata: 9012345\n"]
        {
            var parser = EventStreamParser(limit: 16)
            #expect(throws: EventStreamParser.Failure.tooLong) { try parser.append(Array(text.utf8)) }
            var second = EventStreamParser(limit: 16)
            #expect(throws: EventStreamParser.Failure.tooLong) {
                for byte in text.utf8 { _ = try second.append([byte]) }
            }
        }
        // Many short events are no long one.
        var parser = EventStreamParser(limit: 16)
        #expect(try parser.append(Array(String(repeating: "data: 12345\n\n", count: 100).utf8)).count == 100)
        // Nor are the many empty lines of data that one event may have.
        #expect(throws: EventStreamParser.Failure.tooLong) {
            try parser.append(Array(String(repeating: "data\n", count: 100).utf8))
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func mutations(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fragments = [
            "\r\n", "\r", "\n\n", "data:", "event:", "\u{0}", ":", "id", "retry: 9\n", "\u{FEFF}", "\u{2028}",
        ]
        for _ in 0..<500 {
            var bytes = Array(Self.sample.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, position + Int.random(in: 0...9, using: &random))
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = .random(in: .min ... .max, using: &random)
                case 1: bytes.removeSubrange(position..<end)
                default: bytes.replaceSubrange(position..<end, with: fragments.randomElement(using: &random)!.utf8)
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            var whole = EventStreamParser(limit: 64)
            var pieces = EventStreamParser(limit: 64)
            let expected = Result { try whole.append(bytes) }
            var found: [EventStreamParser.Event] = []
            let result = Result {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let length = Int.random(in: 1...7, using: &random)
                    found += try pieces.append(rest.prefix(length))
                    rest = rest.dropFirst(length)
                }
            }
            switch (expected, result) {
            case (.success(let events), .success): #expect(events == found)
            case (.failure, .failure): break
            default: Issue.record("pieces and the whole differ")
            }
            #expect(found.allSatisfy { !$0.name.isEmpty && $0.data.utf8.count <= 3 * 64 })
        }
    }
}
