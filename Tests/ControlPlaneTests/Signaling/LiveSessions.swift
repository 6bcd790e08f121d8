import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// A session counts as connected here when its worker's event says so; the event is handed in, as no browser is at hand.

extension RunningNode {
    /// Publishes and lets the transport "come up".
    func publishLive(_ name: String, offer: String = Offers.publisher()) async throws -> WHIPClient.Answer {
        let answer = try await self.offer(offer, to: "/whip/\(name)")
        try #require(answer.status == 201, "\(answer)")
        try await connect(answer)
        return answer
    }

    /// What the worker reports once ICE and DTLS are up.
    func connect(_ answer: WHIPClient.Answer) async throws {
        let id = try #require(await sessions.identifier(of: resource(of: answer)))
        await sessions.apply(.connected(id, remote: TransportAddress("127.0.0.1", port: 9)!, profile: .aeadAES128GCM))
        await sessions.apply(.feeds(id, BroadcastID(rawValue: 0)))
    }

    func resource(of answer: WHIPClient.Answer) throws -> ResourceName {
        ResourceName(try #require(answer.location?.split(separator: "/").last))
    }

    func path(of answer: WHIPClient.Answer) throws -> String { "/session/\(try resource(of: answer))" }

    func patch(
        _ answer: WHIPClient.Answer, _ fragment: String, ifMatch: String?,
        type: String = "application/trickle-ice-sdpfrag"
    ) async throws -> HTTPClient.Response {
        let headers = [("Content-Type", type)] + (ifMatch.map { [("If-Match", $0)] } ?? [])
        return try await request("PATCH", try path(of: answer), headers, body: fragment)
    }
}

extension Sessions {
    func findAlternatives(with source: @escaping Alternatives.Source) { alternatives = source }

    func identifier(of resource: ResourceName) -> SessionID? { resources[resource] }

    /// How many GETs an event stream has had.
    func connections(_ resource: ResourceName, _ stream: String) -> Int {
        resources[resource].flatMap { viewerEvents.streams[$0]?[stream] }?.connections ?? 0
    }
}
