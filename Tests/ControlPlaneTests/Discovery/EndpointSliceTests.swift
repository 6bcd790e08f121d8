import ControlPlane
import Testing
import WebRTC

// What EndpointSlices say, as the tools really write them; and that no text does harm.

@Suite struct EndpointSliceTests {
    private static let parser = EndpointSliceParser(service: "origin", port: 9_080)

    private static func endpoint(
        _ host: String, _ port: UInt16, _ hostname: String? = nil, region: String? = nil, ready: Bool = true
    ) -> DiscoveredEndpoint {
        .init(TransportAddress(host, port: port)!, hostname: hostname, region: region, isReady: ready)
    }

    private static let localEndpoints = [
        endpoint("10.0.1.17", 9_090, "origin-0", region: "eu-central-1a"),
        endpoint("10.0.2.9", 9_090, "origin-1", region: "eu-central-1b", ready: false),
        endpoint("10.0.2.10", 9_090),
    ]
    private static let mirroredEndpoint = endpoint("10.102.0.26", 9_080, "origin-us-west-0", region: "us-west")

    private func parse(_ text: String, _ format: EndpointSliceParser.Format = .json) throws -> [DiscoveredEndpoint] {
        try Self.parser.parse(text, format).endpoints
    }

    @Test func localSlice() throws {
        // The port named `internal`; terminating is not ready; absent conditions are ready.
        #expect(try parse(SliceSample.local) == Self.localEndpoints)
    }

    @Test func mirroredSliceWithoutPorts() throws {
        #expect(try parse(SliceSample.mirrored) == [Self.mirroredEndpoint])
    }

    @Test func zonesMapToRegions() throws {
        let parser = EndpointSliceParser(
            service: "origin", port: 9_080, zones: ["eu-central-1a": "eu", "us-west": "elsewhere"])
        // A zone that is not mapped may be a region's name; the source cluster needs no mapping.
        #expect(
            try parser.parse(SliceSample.local, .json).endpoints.map(\.region) == ["eu", "eu-central-1b", nil])
        #expect(try parser.parse(SliceSample.mirrored, .json).endpoints.map(\.region) == ["us-west"])
    }

    @Test func listsWithOtherKinds() throws {
        let expected = Self.localEndpoints + [Self.mirroredEndpoint]
        #expect(try parse(SliceSample.list) == expected)
        // JSON is YAML.
        #expect(try parse(SliceSample.list, .yaml) == expected)
        let typed = SliceSample.list.replacing(#""kind": "List""#, with: #""kind": "EndpointSliceList""#)
        #expect(try parse(typed) == expected)
    }

    @Test func yamlDocumentsIPv6AndOtherServices() throws {
        let result = try Self.parser.parse(SliceSample.documents, .yaml)
        #expect(result.endpoints == [Self.endpoint("2001:db8:0:1::17", 9_443, "origin-0", region: "eu-central-1a")])
        #expect(result.slices == 2)
        #expect(result.endpoints.first?.url("http") == "http://[2001:db8:0:1::17]:9443")
        #expect(try parse(#"{"kind":"List","items":[]}"#).isEmpty)
    }

    @Test(arguments: [
        ("", EndpointSliceParser.Format.json, "is empty"), (" \n", .yaml, "is empty"), ("---\n", .yaml, "is empty"),
        ("{}", .json, "has no kind: is it a Kubernetes object?"),
        (#"{"kind":"EndpointSlice","endpoints":7}"#, .json, "endpoints: expected Array<Any>"),
        (
            #"{"kind":"EndpointSlice","endpoints":[{"addresses":[7]}]}"#, .json,
            "endpoints[0].addresses[0]: expected String"
        ),
        (String(SliceSample.local.dropLast(40)), .json, "is not JSON: line "),
        (
            #"{"kind":"List","items":[{"kind":"Endpoint"#, .json,
            "is not JSON: line 1, column 42: the text ends inside a string"
        ),
        // JSON, but no number that can be had: the decoder does not say where.
        (#"{"kind":"EndpointSlice","ports":[{"port":1e400}]}"#, .json, "is not JSON"),
        ("kind: [", .yaml, "is not YAML: line "), (SliceSample.documents + "---\nkind: [", .yaml, "is not YAML: line "),
        ("- 1\n", .yaml, "expected "),
    ])
    func unusableFiles(text: String, format: EndpointSliceParser.Format, reason: String) {
        let error = #expect(throws: EndpointSliceParser.Failure.self) { try Self.parser.parse(text, format) }
        #expect(error?.description.hasPrefix(reason) == true, "\(error?.description ?? "")")
    }

    /// A file in the directory may lead to one that is no slice, and holds secrets.
    @Test(arguments: [
        ("hunter2:$y$j9T:19000:0:99999:7:::\n", EndpointSliceParser.Format.yaml), ("hunter2: [", .yaml),
        ("hunter2", .yaml), ("- hunter2: *hunter2\n", .yaml), ("? hunter2\n: !hunter2 x\n\t- hunter2", .yaml),
        ("kind: EndpointSlice\nports: hunter2\n", .yaml), ("kind: EndpointSlice\nports: [{port: hunter2}]\n", .yaml),
        ("kind: EndpointSlice\nmetadata: {labels: {hunter2: [hunter2]}}\n", .yaml),
        ("kind: x\nhunter2: 1\nhunter2: 2\n", .yaml), ("kind: \"\\hunter2\"\n", .yaml),
        ("%hunter2 1\n---\nkind: x\n", .yaml), ("kind: hunter2\u{7}", .yaml), ("hunter2", .json),
        (#"{"kind":"EndpointSlice","metadata":{"labels":{"hunter2":["hunter2"]}}}"#, .json),
        (#"{"kind":"EndpointSlice","ports":[{"port":"hunter2"}]}"#, .json), (#"{"kind":hunter2}"#, .json),
    ])
    func whatIsSaidQuotesNothing(text: String, format: EndpointSliceParser.Format) {
        do throws(EndpointSliceParser.Failure) {
            _ = try Self.parser.parse(text, format)
        } catch {
            #expect(!error.description.contains("hunter"), "\(error.description)")
        }
    }

    @Test func rubbishAddressesAreLeftOutAndCounted() throws {
        let text = SliceSample.json(
            "10.0.0.1", "", "10.0.0", "10.0.0.256", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "ff02::1",
            "fe80::1", "origin.example.net", "10.0.0.1:80", "10.0.0.2")
        let result = try Self.parser.parse(text, .json)
        #expect(result.endpoints.map(\.address.host) == ["10.0.0.1", "10.0.0.2"])
        #expect(result.unusable == 11)
        let names = text.replacing("IPv4", with: "FQDN")
        #expect(try Self.parser.parse(names, .json).endpoints.isEmpty)
    }

    @Test func portsThatCannotBe() throws {
        for (ports, expected) in [
            ("null", 9_080), ("[]", 9_080), (#"[{"port":0}]"#, 9_080), (#"[{"port":70000}]"#, 9_080),
            (#"[{"port":-1}]"#, 9_080), (#"[{"port":null}]"#, 9_080), (#"[{"port":7,"protocol":"UDP"}]"#, 9_080),
            (#"[{"port":9081}]"#, 9_081), (#"[{"port":1},{"port":2}]"#, 9_080),
            (#"[{"port":1},{"port":2,"name":"internal"}]"#, 2),
        ] {
            let text = SliceSample.json("10.0.0.1").replacing("\"ports\":null", with: "\"ports\":" + ports)
            #expect(try parse(text).map { Int($0.address.port) } == [expected], "\(ports)")
        }
    }

    @Test func tenThousandEndpointsAndDuplicates() throws {
        let one = (0..<10_000).map { #"{"addresses":["10.1.\#($0 / 250).\#($0 % 250 + 1)"],"hostname":"origin-0"}"# }
        let text = SliceSample.json().replacing(
            "\"endpoints\":[]", with: "\"endpoints\":[" + (one + one).joined(separator: ",") + "]")
        let all = try parse(text)
        #expect(all.count == 20_000)
        #expect(DiscoveredEndpoint.merged(all).count == 10_000)
    }

    @Test func duplicatesMerge() {
        let merged = DiscoveredEndpoint.merged([
            Self.endpoint("10.0.0.1", 1, ready: false), Self.endpoint("10.0.0.2", 1),
            Self.endpoint("10.0.0.1", 1, "a", region: "eu"), Self.endpoint("10.0.0.1", 2),
        ])
        #expect(
            merged == [
                Self.endpoint("10.0.0.1", 1, "a", region: "eu"), Self.endpoint("10.0.0.2", 1),
                Self.endpoint("10.0.0.1", 2),
            ])
    }

    @Test func aliasesWrittenOutAreBounded() {
        var bomb = "kind: List\na0: &a0 [x]\n"
        for level in 1...9 {
            bomb += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        #expect(throws: EndpointSliceParser.Failure.self) { try Self.parser.parse(bomb + "items: *a9\n", .yaml) }
        for bracket in ["[", "{a: ", "- "] {
            #expect(throws: EndpointSliceParser.Failure.self) {
                try Self.parser.parse(String(repeating: bracket, count: 20_000), .yaml)
            }
        }
        #expect(throws: EndpointSliceParser.Failure.self) {
            try Self.parser.parse(String(repeating: "[", count: 20_000), .json)
        }
    }

    /// Trees that a few bytes stand for: one that takes years to compare, one that cannot be given back.
    @Test func aliasesAreRefusedBeforeAnythingIsMadeOfThem() {
        var key = "a0: &a0 [x]\n"
        for level in 1...9 {
            key += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ","))]\n"
        }
        let chain = (1...100_000).map { "- &a\($0) [*a\($0 - 1)]\n" }.joined()
        for text in [key + "? *a9\n: v\n", "- &a0 []\n" + chain, "&a a\u{2028}*a", "{?*a : &a b}", "a:&a\n- *a\n"] {
            let error = #expect(throws: EndpointSliceParser.Failure.self) { try Self.parser.parse(text, .yaml) }
            #expect(error?.description == "has anchors and aliases, which Kubernetes does not write")
        }
    }

    @Test func whatOnlyLooksLikeThemIsRead() throws {
        let note = "metadata:\n  annotations: {a: 'R&D *', b: \"&x y\", c: 2*3}\n"
        let text = SliceSample.documents.replacing("metadata:\n", with: note, maxReplacements: 1)
        #expect(text != SliceSample.documents)
        #expect(try parse(text, .yaml) == parse(SliceSample.documents, .yaml))
    }

    @Test(arguments: [EndpointSliceParser.Format.json, .yaml]) func listsWithinListsAreNotLookedInto(
        format: EndpointSliceParser.Format
    ) throws {
        let open = #"{"kind":"List","items":["#
        let close = String(repeating: "]}", count: 240)
        let text = String(repeating: open, count: 240) + SliceSample.json("10.0.0.1") + close
        #expect(try parse(text, format) == [])
    }

    @Test(arguments: [UInt64(1), 2, 3]) func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for round in 0..<600 {
            let format: EndpointSliceParser.Format = round % 2 == 0 ? .json : .yaml
            var bytes = Array((format == .json ? SliceSample.list : SliceSample.documents).utf8)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, position + Int.random(in: 1...12, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] = .random(in: .min ... .max, using: &random)
                case 1: bytes.removeSubrange(position..<end)
                case 2: bytes.insert(contentsOf: bytes[position..<end], at: 0)
                default:
                    let fragment = TopologyFuzzTests.fragments.randomElement(using: &random)!
                    bytes.replaceSubrange(position..<end, with: fragment.utf8)
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            do throws(EndpointSliceParser.Failure) {
                let result = try Self.parser.parse(String(decoding: bytes, as: UTF8.self), format)
                #expect(result.endpoints.allSatisfy { $0.address.port > 0 })
            } catch {
                refused += 1
                #expect(!error.description.isEmpty && error.description.count < 250)
                #expect(!error.description.contains("\n"))
            }
        }
        #expect(refused > 150)
    }
}
