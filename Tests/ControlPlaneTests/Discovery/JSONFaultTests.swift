import Testing
import WebRTC

@testable import ControlPlane

// What is said of a file that is not JSON: where it stops and why, in one short line.

@Suite struct JSONFaultTests {
    @Test(arguments: [
        ("", "line 1, column 1: the text ends where a value is expected"),
        (" \n ", "line 2, column 2: the text ends where a value is expected"),
        ("{", "line 1, column 2: the text ends inside an object"),
        (#"{"kind""#, "line 1, column 8: the text ends inside an object"),
        (#"{"kind": "#, "line 1, column 10: the text ends inside an object"),
        ("{\n  \"items\": [\n    1,\n", "line 4, column 1: the text ends inside an array"),
        (#"{"kind": "Endpoint"#, "line 1, column 19: the text ends inside a string"),
        (#"{"kind": "Endpoint\"#, "line 1, column 20: the text ends inside a string"),
        (#"{"ready": tru"#, "line 1, column 14: the text ends inside a value"),
        (#"{"ready": yes}"#, "line 1, column 11: unexpected word"),
        (#"{"a":1]"#, #"line 1, column 7: unexpected "]""#), (#"[1}"#, #"line 1, column 3: unexpected "}""#),
        (#"{"a":1,}"#, #"line 1, column 8: unexpected "}""#), (#"{"a" 1}"#, "line 1, column 6: unexpected character"),
        ("{}\n{}", #"line 2, column 1: unexpected "{""#), ("[1 2]", "line 1, column 4: unexpected character"),
        ("\u{1}", "line 1, column 1: unexpected byte 1"),
        ("\"a\nb\"", "line 1, column 3: control character in a string"),
        ("kind: List", "line 1, column 1: unexpected word"),
    ])
    func places(text: String, expected: String) { #expect(JSONFault.find(in: text)?.description == expected) }

    @Test(arguments: [
        "{}", "[]", "null", " [1, -2.5e3, true, \"\\\"\\u00e9\", {\"a\": {}, \"b\": []}]\n", SliceSample.local,
        SliceSample.list,
    ])
    func wholeTexts(text: String) { #expect(JSONFault.find(in: text) == nil) }

    @Test func deepAndLongTextsHaveShortAnswers() throws {
        let deep = try #require(JSONFault.find(in: String(repeating: "[", count: 1_000_000)))
        #expect(deep.description == "line 1, column 513: nested more than 512 deep")
        let long = try #require(JSONFault.find(in: String(repeating: "x", count: 1_000_000) + " "))
        #expect(long.description.count < 80)
    }

    /// It may be a file of secrets that was taken for JSON.
    @Test(arguments: [
        "root:$y$j9T$abcdef:19000:0:99999:7:::\n", "hunter2", "{hunter2: 1}", "[\"hunter2\" hunter2]", "'hunter2'",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n", "{\"a\": hunter2}",
    ])
    func nothingOfTheTextIsSaid(text: String) throws {
        let fault = try #require(JSONFault.find(in: text)).description
        let words = text.split { !$0.isLetter && !$0.isNumber }.filter { $0.count > 1 }
        for word in words { #expect(!fault.contains(word), "\(fault)") }
    }

    /// A fault is found in every file that was written by half.
    @Test func everyBeginningHasItsEnd() throws {
        let whole = SliceSample.json("10.0.0.1", "10.0.0.2")
        for length in 0..<whole.count {
            let fault = try #require(JSONFault.find(in: String(whole.prefix(length))))
            #expect(fault.problem.hasPrefix("the text ends"), "\(length)")
        }
    }
}
