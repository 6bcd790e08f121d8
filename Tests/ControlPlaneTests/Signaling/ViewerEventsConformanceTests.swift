import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// The server-sent events extension of WHEP (items 15 and 40).

@Suite("WHEP events") struct ViewerEventsConformanceTests {
    /// Apart from those of all tests: a stream takes a thread for as long as it is open.
    private let streams = HTTPClient(exchanges: 2)
    private let json = [(name: "Content-Type", value: "application/json")]

    /// A viewer's events resource and a stream of it.
    private func events(_ node: RunningNode, of answer: WHIPClient.Answer) throws -> String {
        try node.path(of: answer) + "/events"
    }

    private func open(_ names: String, _ node: RunningNode, of answer: WHIPClient.Answer) async throws -> String {
        let response = try await node.request("POST", try events(node, of: answer), json, body: names)
        try #require(response.status == 201)
        return try #require(response.header("Location"))
    }

    /// Everything that the stream tells from its GET to the end of `body`, which must have ended it.
    private func read(
        _ stream: String, _ node: RunningNode, while body: @escaping @Sendable () async throws -> Void
    ) async throws -> [String] {
        let parts = stream.split(separator: "/")
        let (resource, name) = (ResourceName(parts[parts.count - 3]), String(parts.last!))
        let before = await node.sessions.connections(resource, name)
        async let response = streams.perform(.init("GET", stream, timeout: .seconds(60)))
        #expect(await eventually { await node.sessions.connections(resource, name) > before })
        try await body()
        let answer = try await response
        #expect(answer.status == 200 && answer.header("Content-Type") == "text/event-stream")
        return answer.text.split(separator: "\n\n").filter { $0.hasPrefix("event: ") }
            .map { String($0).replacing("event: ", with: "").replacing("\ndata: ", with: " ") }
    }

    @Test func item15_the201OfAViewerOffersEvents() async throws {
        try await withOrigin { node in
            let sdpType = [(name: "Content-Type", value: "application/sdp")]
            let publisher = try await node.request("POST", "/whip/a", sdpType, body: Offers.publisher())
            #expect(publisher.status == 201 && publisher.header("Link") == nil)
            let id = try #require(
                await node.sessions.identifier(
                    of: ResourceName(publisher.header("Location")!.split(separator: "/").last!)))
            await node.sessions.apply(.connected(id, remote: .init("127.0.0.1", port: 9)!, profile: .aeadAES128GCM))
            await node.sessions.apply(.feeds(id, BroadcastID(rawValue: 0)))
            let viewer = try await node.request("POST", "/whep/a", sdpType, body: Offers.viewer())
            let expected =
                "<\(viewer.header("Location")!)/events>; rel=\"urn:ietf:params:whep:ext:core:server-sent-events\"; "
                + "events=\"active,inactive,layers,reconnect,viewercount\", "
                + "<\(viewer.header("Location")!)/layer>; rel=\"urn:ietf:params:whep:ext:core:layer\""
            #expect(viewer.header("Link") == expected)
        }
    }

    @Test(arguments: [
        (#"["active"]"#, "application/json", 201),
        (#"["active","inactive","layers","reconnect","viewercount"]"#, "application/json; charset=utf-8", 201),
        ("", "application/json", 201),
        (#"["active","scte35"]"#, "application/json", 400),
        (#"["Active"]"#, "application/json", 400),
        ("[]", "application/json", 400),
        (#"{"active":true}"#, "application/json", 400),
        (#""active""#, "application/json", 400),
        ("[1]", "application/json", 400),
        ("[", "application/json", 400),
        (String(repeating: "[", count: 30_000), "application/json", 400),
        (#"["active"]"#, "text/plain", 415),
        (#"["active"]"#, "", 415),
    ])
    func item40_listsOfEvents(body: String, type: String, status: Int) async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let path = try events(node, of: viewer)
            let response = try await node.request("POST", path, [("Content-Type", type)], body: body)
            #expect(response.status == status)
            #expect(await node.sessions.snapshot().eventStreams == (status == 201 ? 1 : 0))
            guard status == 201 else { return }
            #expect(response.header("Location")?.hasPrefix(viewer.location! + "/events/") == true)
        }
    }

    @Test func item40_whoHasEvents() async throws {
        try await withOrigin({ $0.auth.watch = .secret(Secret("watch-token")) }) { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a", token: "watch-token")
            let token = [(name: "Authorization", value: "Bearer watch-token")]
            for path in [try events(node, of: publisher), "/session/unknown/events"] {
                #expect(try await node.request("POST", path, json + token, body: #"["active"]"#).status == 404)
            }
            let path = try events(node, of: viewer)
            #expect(try await node.request("POST", path, json, body: #"["active"]"#).status == 401)
            let other = [(name: "Authorization", value: "Bearer other")]
            #expect(try await node.request("POST", path, json + other, body: #"["active"]"#).status == 403)
            let created = try await node.request("POST", path, json + token, body: #"["active"]"#)
            #expect(created.status == 201)
            let stream = try #require(created.header("Location"))
            for method in ["GET", "DELETE"] {
                #expect(try await node.request(method, stream).status == 401)
                #expect(try await node.request(method, stream + "x", token).status == 404)
            }
            #expect(try await node.request("DELETE", stream, token).status == 200)
            // Only where the session was made.
            #expect(
                try await node.request("POST", path, json + token, body: #"["active"]"#, internal: true).status == 404)
        }
    }

    @Test func item40_methodsAndCrossOrigin() async throws {
        try await withOrigin { node in
            for (path, method, allow) in [
                ("/session/x/events", "GET", "OPTIONS, POST"), ("/session/x/events/y", "POST", "GET, OPTIONS, DELETE"),
            ] {
                let refused = try await node.request(method, path)
                #expect(refused.status == 405 && refused.header("Allow") == allow)
                let preflight = try await node.request("OPTIONS", path)
                #expect(preflight.status == 200 && preflight.header("Access-Control-Allow-Methods") == allow)
                #expect(preflight.header("Access-Control-Allow-Headers")?.contains("Authorization") == true)
            }
        }
    }

    @Test func item40_aSessionHasFourStreamsAtMost() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            var last = ""
            for _ in 0..<4 { last = try await open(#"["active"]"#, node, of: viewer) }
            let path = try events(node, of: viewer)
            #expect(try await node.request("POST", path, json, body: #"["active"]"#).status == 409)
            #expect(try await node.request("DELETE", last).status == 200)
            #expect(try await node.request("DELETE", last).status == 404)
            #expect(try await node.request("GET", last).status == 404)
            #expect(try await node.request("POST", path, json, body: #"["active"]"#).status == 201)
        }
    }

    @Test func item40_theStreamBeginsAtItsPostAndEndsWithDelete() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["viewercount","inactive","active","layers"]"#, node, of: viewer)
            // Before the GET.
            try await whip.delete(url: publisher.location!)
            await node.sessions.advance(now: .now)
            let told = try await read(stream, node) {
                _ = try await node.publishLive("a")
                await node.sessions.advance(now: .now)
                #expect(try await node.request("DELETE", stream).status == 200)
            }
            #expect(
                told == [
                    "active {}", #"layers {"0":[]}"#, #"viewercount {"viewercount":1}"#, "inactive {}", "active {}",
                ])
        }
    }

    @Test func item40_inactiveIsNeverTheFirstState() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            try await whip.delete(url: publisher.location!)
            let stream = try await open(#"["active","inactive"]"#, node, of: viewer)
            let told = try await read(stream, node) {
                await node.sessions.advance(now: .now)
                _ = try await node.publishLive("a")
                await node.sessions.advance(now: .now)
                try await whip.delete(url: viewer.location!)
            }
            #expect(told == ["active {}"])
            #expect(try await node.request("GET", stream).status == 404, "streams die with their session")
            #expect(await node.sessions.snapshot().eventStreams == 0)
        }
    }

    @Test func item40_silenceOfTheSourceIsInactive() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let source = try #require(await node.sessions.identifier(of: try node.resource(of: publisher)))
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["active","inactive"]"#, node, of: viewer)
            let broadcast = try #require(await node.sessions.names["a"])
            for event in [Event.silent(source, broadcast), .flowing(source, broadcast)] {
                await node.sessions.apply(event)
                await node.sessions.advance(now: .now)
            }
            let told = try await read(stream, node) { try await whip.delete(url: viewer.location!) }
            #expect(told == ["active {}", "inactive {}", "active {}"])
        }
    }

    @Test func item40_viewersAreCountedOnceASecond() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["viewercount"]"#, node, of: viewer)
            let now = ContinuousClock.now
            // Nothing is counted within a second of this, and the node's own clock is far behind.
            await node.sessions.advance(now: now + .seconds(1_000))
            for _ in 0..<3 {
                _ = try await node.offer(Offers.viewer(), to: "/whep/a")
                await node.sessions.advance(now: now + .milliseconds(1_000_999))
            }
            await node.sessions.advance(now: now + .seconds(1_001))
            let told = try await read(stream, node) { try await whip.delete(url: viewer.location!) }
            #expect(told == [#"viewercount {"viewercount":1}"#, #"viewercount {"viewercount":4}"#])
        }
    }

    @Test func item41_layersAreTheEncodingsOfTheBroadcast() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a", offer: Offers.simulcast)
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["layers"]"#, node, of: viewer)
            let told = try await read(stream, node) { try await whip.delete(url: viewer.location!) }
            #expect(told == [#"layers {"0":[{"bitrate":0,"rid":"h"},{"bitrate":0,"rid":"l"}]}"#])
        }
    }

    /// Once a second at most, when another comes or a rate is another by a quarter.
    @Test func item41_layersAreToldAgainWhenTheyChange() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a", offer: Offers.simulcast)
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["layers"]"#, node, of: viewer)
            let told = try await read(stream, node) {
                let broadcast = try #require(await node.sessions.names["a"])
                // The node's own clock is far behind.
                let start = ContinuousClock.now + .seconds(1_000)
                for (second, rates) in [(2, (100, 0)), (4, (110, 0)), (6, (130, 0)), (8, (130, 9)), (10, (0, 9))] {
                    await node.sessions.apply(
                        .rates(
                            broadcast,
                            [
                                .init(rid: "h", bytesPerSecond: Int64(rates.0)),
                                .init(rid: "l", bytesPerSecond: Int64(rates.1)),
                            ]))
                    await node.sessions.advance(now: start + .seconds(second))
                }
                try await whip.delete(url: viewer.location!)
            }
            let rates = [(0, 0), (800, 0), (1_040, 0), (1_040, 72), (0, 72)]
            #expect(
                told
                    == rates.map {
                        #"layers {"0":[{"bitrate":\#($0.0),"rid":"h"},{"bitrate":\#($0.1),"rid":"l"}]}"#
                    })
        }
    }

    @Test(arguments: [
        (#"{"mediaId":"0","rid":"l"}"#, 200), (#"{"mediaId":0,"rid":"h"}"#, 200), (#"{"rid":"l"}"#, 200),
        (#"{"encodingId":"l"}"#, 200), (#"{"mediaId":"0"}"#, 200), ("{}", 200), (#"{"rid":null}"#, 200),
        (#"{"rid":"l","maxWidth":null}"#, 200), (#"{"mediaId":"7","rid":"l"}"#, 422), (#"{"rid":"x"}"#, 422),
        (#"{"rid":""}"#, 422), (#"{"maxWidth":640}"#, 422), (#"{"rid":"l","temporalLayerId":0}"#, 422),
        (#"{"rid":7}"#, 400), (#"{"mediaId":{}}"#, 400), ("[]", 400), ("", 400), ("{", 400), ("null", 400),
    ])
    func item41_aLayerIsChosen(body: String, status: Int) async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a", offer: Offers.simulcast)
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let path = "/session/" + viewer.location!.split(separator: "/").last! + "/layer"
            let json = [(name: "Content-Type", value: "application/json")]
            let answer = try await node.request("POST", path, json, body: body)
            #expect(answer.status == status)
            #expect(status == 200 || answer.header("Content-Type") == "application/problem+json")
        }
    }

    @Test func item41_onlyAViewersLayerIsChosen() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a", offer: Offers.simulcast)
            let json = [(name: "Content-Type", value: "application/json")]
            for id in [String(publisher.location!.split(separator: "/").last!), "nobody", "a.b"] {
                #expect(try await node.request("POST", "/session/\(id)/layer", json, body: "{}").status == 404)
            }
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let path = "/session/" + viewer.location!.split(separator: "/").last! + "/layer"
            #expect(try await node.request("GET", path).status == 405)
            #expect(try await node.request("POST", path, body: "{}").status == 415)
        }
    }

    @Test func item40_aSecondGetReplacesTheFirstAndBeginsWithTheState() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await open(#"["active","inactive"]"#, node, of: viewer)
            let first = try await read(stream, node) {
                try await whip.delete(url: publisher.location!)
                await node.sessions.advance(now: .now)
                let second = try await read(stream, node) {
                    // The one before ends; this one is the one that hears of it.
                    try await whip.delete(url: viewer.location!)
                }
                #expect(second == ["inactive {}"])
            }
            #expect(first == ["active {}", "inactive {}"])
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func mutatedLists(seed: UInt64) {
        let list = Array(#"["active","inactive","layers","reconnect","viewercount"]"#.utf8)
        var refused = 0
        for bytes in Sample.mutations(of: list, count: 2_000, seed: seed) where ViewerEvent.list(bytes) == nil {
            refused += 1
        }
        #expect(refused > 1_000)
    }

    @Test func whatWaitsForAGetIsBounded() {
        var stream = ViewerEventStream(wanted: Set(ViewerEvent.allCases))
        for count in 0..<10_000 {
            stream.send(count.isMultiple(of: 2) ? .active : .inactive, "{}")
            stream.send(.viewercount, "\(count)")
        }
        #expect(stream.waitingCount <= ViewerEventStream.mostWaiting)
    }
}
