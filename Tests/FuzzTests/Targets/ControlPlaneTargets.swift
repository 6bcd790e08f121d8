#if FUZZES_CONTROL_PLANE
    // What comes from clients, other nodes, name servers, Kubernetes and the operator.
    import Foundation
    import WebRTC

    @testable import ControlPlane

    extension FuzzTarget {
        static var controlPlane: [FuzzTarget] {
            [eventStream, slices(.json), slices(.yaml), dnsAnswer, topology, nodeToken, directory, request]
        }

        /// The same events, however the stream is cut.
        private static let eventStream = FuzzTarget(
            name: "event-stream", maximumLength: 400,
            seeds: {
                ["\u{FEFF}event: node\r\ndata: {}\ndata:x\r\r: note\nid: 1\n\nretry\n\ndata\n\n", "data: 1\n\n"]
                    .flatMap { text in [UInt8(0), 1, 3].map { [$0] + Array(text.utf8) } }
            }
        ) {
            { bytes in
                let cut = max(1, Int(bytes.first ?? 1))
                var (whole, pieces) = (EventStreamParser(limit: 200), EventStreamParser(limit: 200))
                let expected = try? whole.append(bytes.dropFirst())
                var events: [EventStreamParser.Event]? = []
                var rest = bytes.dropFirst()
                while !rest.isEmpty {
                    let some = try? pieces.append(rest.prefix(cut))
                    events = some.flatMap { some in events.map { $0 + some } }
                    if events == nil { break }
                    rest = rest.dropFirst(cut)
                }
                precondition(events == expected, "the same events from any pieces")
            }
        }

        private static func slices(_ format: EndpointSliceParser.Format) -> FuzzTarget {
            FuzzTarget(
                name: format == .json ? "endpoint-slices-json" : "endpoint-slices-yaml", maximumLength: 1_800,
                mutations: 1_000,
                seeds: { textsOfTests(in: "ControlPlaneTests/Discovery/SliceSamples.swift").map { Array($0.utf8) } }
            ) {
                let parser = EndpointSliceParser(service: "origin", port: 9_090, zones: ["eu-central-1a": "eu"])
                return { bytes in
                    do throws(EndpointSliceParser.Failure) {
                        _ = try parser.parse(String(decoding: bytes, as: UTF8.self), format)
                    } catch {
                        precondition(!error.description.isEmpty && !error.description.contains("\n"), "one line")
                    }
                }
            }
        }

        private static let dnsAnswer = FuzzTarget(
            name: "dns-answer", maximumLength: 600,
            seeds: {
                let question = "0001 8180 0001 0002 0000 0000 06 6F726967696E 03 636F6D 00 00FF 0001"
                return [
                    hexBytes(question + "C00C 0001 0001 0000003C 0004 C0000201 C00C 0001 0001 0000003C 0004 C0000202"),
                    hexBytes(
                        question + "C00C 001C 0001 00000005 0010 20010DB8000000000000000000000001 C00C 0005 0001 "
                            + "00000005 0002 C00C"),
                    hexBytes(
                        question + "C00C 0021 0001 0000003C 0009 0001 0002 2382 C00C 00 C00C 0021 0001 00000000 "
                            + "000A 0000 0000 0001 0161 C013"),
                ]
            }
        ) {
            { bytes in _ = DNSMessage.parse(bytes) }
        }

        private static let topology = FuzzTarget(
            name: "topology", maximumLength: 2_200, mutations: 500,
            seeds: {
                let file = testsFolder.deletingLastPathComponent().appendingPathComponent("topology.yaml")
                let demo = (try? Data(contentsOf: file)).map { [Array($0)] } ?? []
                return demo
                    + ["Topology/TopologySamples.swift", "Rendering/RenderingSample.swift"].flatMap {
                        textsOfTests(in: "ControlPlaneTests/" + $0).map { Array($0.utf8) }
                    }
            }
        ) {
            { bytes in
                let secret = String(repeating: "s", count: 32)
                let request = NodeRequest(
                    role: .edge, name: nil, environment: ["PUBLISH": "p", "NEWS": "n", "NODE": secret], isCheck: true)
                do throws(ConfigurationError) {
                    _ = try Topology.parse(
                        String(decoding: bytes, as: UTF8.self), file: "t", directory: "/nonexistent", for: request)
                } catch {
                    precondition(!error.problems.isEmpty, "a refusal has a reason")
                }
            }
        }

        /// The field of a request; what begins with a brace, the claims of a node that has the secret.
        private static let nodeToken = FuzzTarget(
            name: "node-token", maximumLength: 400, mutations: 5_000,
            seeds: {
                let good = tokens().authorization(for: "news", at: "edge-1", now: now) ?? ""
                let none = "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0."
                let claims = #"{"iss":"edge-2","aud":["news","node:edge-1"],"iat":1700000000,"exp":1700000060}"#
                return [good, good + "=", none, "bearer " + good, "Bearer a.b.c", "Basic YTpi", claims]
                    .map { Array($0.utf8) }
            }
        ) {
            let judge = tokens()
            return { bytes in
                let isSigned = bytes.first == UInt8(ascii: "{")
                let field =
                    isSigned
                    ? "Bearer " + SignedToken.sign(Data(bytes), with: secret) : String(decoding: bytes, as: UTF8.self)
                _ = judge.decide(broadcast: "news", authorization: field, now: now)
            }
        }

        /// Path and `X-Forwarded-For` of a request, with a line break between them.
        private static let request = FuzzTarget(
            name: "request", maximumLength: 300, mutations: 5_000,
            seeds: {
                [
                    "/whep/a?x=1&token=a%2Bb=#c\n192.0.2.1, [2001:db8::1]:80,10.0.0.1:9 ,\t::ffff:10.0.0.2",
                    "/.well-known/acme-challenge/a%2e_-\n10.0.0.1,10.0.0.2,unknown", "//?token=&token\n,[,],:,",
                ].map { Array($0.utf8) }
            }
        ) {
            guard let block = try? AddressBlock("10.0.0.0/8"), let remote = TransportAddress("10.0.0.9", port: 1) else {
                preconditionFailure("both are addresses")
            }
            let proxies = TrustedProxies([block])
            return { bytes in
                let parts = bytes.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
                let (path, field) = (
                    String(decoding: parts[0], as: UTF8.self), String(decoding: parts.last ?? [], as: UTF8.self)
                )
                for listener in ListenerKind.allCases { _ = Route(path: path, on: listener)?.pattern }
                if let found = QueryToken.find(in: path) {
                    let isPlain = found.raw.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>\"".utf8.contains($0) }
                    precondition(isPlain, "what is repeated in a Link ends none")
                }
                _ = proxies.client(behind: remote, forwardedFor: field)
            }
        }

        /// The first byte says which event it is.
        private static let directory = FuzzTarget(
            name: "directory-message", maximumLength: 900, mutations: 2_000,
            seeds: {
                let path = #"""
                    {"name":"news","title":"News","publication":{"started":1700000000000,"origin":"origin-1"},
                     "path":["origin-1","edge-1"],"since":"2026-01-01T00:00:00Z","silent":true,
                     "tracks":[{"kind":"video","codec":"VP8","clockRate":90000,"channels":1,"fmtp":""}],
                     "encodings":[{"kind":"video","rid":"h"}]}
                    """#
                let node = #"""
                    {"node":"edge-1","role":"edge","region":"eu","url":"http://edge.example.com","viewers":true,
                     "ready":true,"draining":false,"load":0.5,"instance":"a"}
                    """#
                let snapshot = #"{"node":"# + node + #","broadcasts":["# + path + "]}"
                return [snapshot, path, path, node].enumerated().map { [UInt8($0)] + Array($1.utf8) }
            }
        ) {
            { bytes in
                let event = ["snapshot", "announce", "withdraw", "node"][Int(bytes.first ?? 0) % 4]
                let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
                _ = DirectoryMessage.decode(event, text)
            }
        }

        private static let now = Date(timeIntervalSince1970: 1_700_000_010)
        private static let secret = Secret(String(repeating: "s", count: 32))

        private static func tokens() -> NodeTokens { NodeTokens(.secret(secret), node: "edge-1") }
    }
#endif
