import HTTPTypes
import Testing

@testable import ControlPlane

// The public list names a broadcast to those only who may watch it; the internal one names all.

@Suite("List of broadcasts") struct BroadcastListTests {
    private static func names(_ answer: HTTPClient.Response) -> [String] {
        answer.text.matches(of: #/"name":"([^"]*)"/#).map { String($0.1) }
    }

    private static func bearer(_ token: String?) -> [(name: String, value: String)] {
        token.map { [("Authorization", "Bearer \($0)")] } ?? []
    }

    @Test func whatNeedsATokenIsNamedToThoseWhoHaveIt() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.auth.broadcasts = [
            .init(pattern: "staff-*", watch: .secret(Secret("staff"))),
            .init(pattern: "board", watch: .secret(Secret("board"))),
        ]
        try await withNodes(topology) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            for name in ["show", "staff-a", "board"] { _ = try await origin.publishLive(name) }
            let all = ["board", "show", "staff-a"]
            for (token, expected) in [
                (nil, ["show"]), ("wrong", ["show"]), ("staff", ["show", "staff-a"]), ("board", ["board", "show"]),
            ] {
                // The edge has heard of them before long.
                for node in [edge, origin] {
                    let isSo = try await eventually {
                        let answer = try await node.request("GET", "/api/broadcasts", Self.bearer(token))
                        return answer.status == 200 && Set(Self.names(answer)).isSuperset(of: expected)
                    }
                    #expect(isSo)
                    let answer = try await node.request("GET", "/api/broadcasts", Self.bearer(token))
                    #expect(Set(Self.names(answer)).intersection(all) == Set(expected), "\(token ?? "none")")
                }
            }
            let complete = try await origin.request("GET", "/api/broadcasts", internal: true)
            #expect(Set(Self.names(complete)).isSuperset(of: all))
        }
    }

    @Test func whereEverythingNeedsATokenThereIsNoListWithoutOne() async throws {
        try await withOrigin({
            $0.auth.watch = .secret(Secret("watch"))
            $0.auth.publish = .secret(Secret("publish"))
        }) { node in
            let missing = try await node.request("GET", "/api/broadcasts")
            #expect(missing.status == 401 && missing.header("WWW-Authenticate") == "Bearer")
            #expect(try await node.request("GET", "/api/broadcasts", Self.bearer("wrong")).status == 403)
            for token in ["watch", "publish"] {
                let answer = try await node.request("GET", "/api/broadcasts", Self.bearer(token))
                #expect(answer.status == 200 && answer.text == "[]")
            }
            #expect(try await node.request("GET", "/api/broadcasts", internal: true).text == "[]")
            #expect(try await node.request("OPTIONS", "/api/broadcasts").status == 200)
        }
    }
}
