import Foundation
import Logging
import Testing

@testable import ControlPlane

// A log line is one line, whatever a peer put into a value, and its JSON form is JSON.

@Suite struct StructuredLogTests {
    private let time = Date(timeIntervalSince1970: 1_800_000_000.25)
    private struct Failure: Error, CustomStringConvertible { var description: String { "it broke" } }

    private func line(_ format: LogFormat, _ metadata: Logger.Metadata, error: (any Error)? = nil) -> String {
        var handler = StructuredLog(format: format, level: .info)
        handler[metadataKey: "node"] = "edge-1"
        return handler.line(level: .info, message: "session opened", metadata: metadata, error: error, time: time)
    }

    @Test func textPutsTheKnownKeysFirst() {
        let text = line(.text, ["zone": "a", "remote": "192.0.2.1:5000", "session": "Ab3", "bytes": "12"])
        #expect(
            text
                == "2027-01-15T08:00:00.250Z info session opened node=edge-1 session=Ab3 remote=192.0.2.1:5000 bytes=12 "
                + "zone=a\n")
    }

    @Test(arguments: [
        ("", "\"\""), ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("say \"x\"", "\"say \\\"x\\\"\""),
        ("x\nfake info line", "\"x\\nfake info line\""), ("\u{1B}[31m", "\"\\u001b[31m\""), ("a\\b", "\"a\\\\b\""),
        ("\u{2028}", "\"\\u2028\""), ("grün", "grün"), ("\u{85}", "\"\\u0085\""),
    ])
    func textQuotesWhatCouldMislead(value: String, expected: String) {
        #expect(
            line(.text, ["v": "\(value)"]) == "2027-01-15T08:00:00.250Z info session opened node=edge-1 v=\(expected)\n"
        )
    }

    @Test(arguments: ["plain", "", "\"\\/", "\n\r\t\u{0}\u{1F}\u{7F}\u{9B}", "🐟 é", "\u{2028}\u{2029}", "{\"a\":1}"])
    func jsonIsJSON(value: String) throws {
        let text = line(.json, ["v": "\(value)", "list": ["a", "b"]], error: Failure())
        #expect(text.hasSuffix("}\n") && text.filter(\.isNewline).count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
        #expect(object["v"] == value)
        #expect(object["message"] == "session opened" && object["level"] == "info" && object["node"] == "edge-1")
        #expect(object["time"] == "2027-01-15T08:00:00.250Z")
        #expect(object["error"] == "it broke")
    }

    @Test func anEventsOwnMetadataWins() {
        #expect(line(.text, ["node": "other"]).contains("node=other"))
        #expect(!line(.text, ["node": "other"]).contains("edge-1"))
    }
}
