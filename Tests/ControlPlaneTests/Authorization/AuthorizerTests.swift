import Testing

@testable import ControlPlane

// Who may publish and watch: conformance item 7. No credential is 401, a wrong one 403, and the first rule that matches
// a broadcast decides.

@Suite struct AuthorizerTests {
    private static let auth: Topology.Auth = {
        var auth = Topology.Auth()
        auth.publish = .secret(Secret("global"))
        auth.watch = .open
        auth.broadcasts = [
            .init(pattern: "news-*", publish: .secret(Secret("news")), watch: nil),
            .init(pattern: "news-private", publish: .open, watch: .open),
            .init(pattern: "private", publish: nil, watch: .secret(Secret("watchers"))),
            .init(pattern: "closed", publish: .closed, watch: .closed),
        ]
        return auth
    }()

    @Test(arguments: [
        (Authorizer.Scope.publish, "a", nil as String?, Authorizer.Decision.missingCredentials),
        (.publish, "a", "Bearer global", .allowed),
        (.publish, "a", "bearer   global", .allowed),
        (.publish, "a", "Bearer news", .forbidden),
        (.publish, "a", "Bearer globa", .forbidden),
        (.publish, "a", "Bearer globall", .forbidden),
        (.publish, "a", "Bearer globalglobal", .forbidden),
        (.publish, "a", "Basic global", .missingCredentials),
        (.publish, "a", "Bearer", .missingCredentials),
        (.publish, "a", "Bearer ", .missingCredentials),
        (.publish, "a", "global", .missingCredentials),
        (.publish, "a", "Bearer global global", .missingCredentials),
        (.watch, "a", nil, .allowed),
        (.watch, "a", "Bearer whatever", .allowed),
        // The token of one broadcast does not open another, in either direction.
        (.publish, "news-1", "Bearer news", .allowed),
        (.publish, "news-1", "Bearer global", .forbidden),
        (.publish, "news-", "Bearer news", .allowed),
        (.publish, "news", "Bearer news", .forbidden),
        (.publish, "NEWS-1", "Bearer news", .forbidden),
        // The first match wins, even where a later one fits better; what it leaves out is as for all.
        (.publish, "news-private", nil, .missingCredentials),
        (.watch, "news-1", nil, .allowed),
        (.publish, "private", "Bearer global", .allowed),
        (.watch, "private", nil, .missingCredentials),
        (.watch, "private", "Bearer global", .forbidden),
        (.watch, "private", "Bearer watchers", .allowed),
        (.publish, "closed", nil, .missingCredentials),
        (.publish, "closed", "Bearer global", .forbidden),
        (.watch, "closed", "Bearer global", .forbidden),
    ])
    func decisions(
        scope: Authorizer.Scope, broadcast: String, authorization: String?, expected: Authorizer.Decision
    ) {
        let authorizer = Authorizer(Self.auth)
        #expect(authorizer.decide(scope, broadcast: broadcast, authorization: authorization) == expected)
    }

    /// Whoever may watch a broadcast may know that it is there, and whoever shows a token to publish it.
    @Test(arguments: [
        ("a", nil as String?, true), ("news-private", nil, true), ("news-1", nil, true),
        ("private", nil, false), ("private", "Bearer wrong", false), ("private", "Bearer watchers", true),
        ("private", "Bearer global", true), ("private", "Bearer news", false),
        ("closed", "Bearer global", false), ("closed", nil, false), ("hidden", nil, false),
        ("hidden", "Bearer global", false), ("hidden", "Bearer hidden", true),
    ])
    func listsName(broadcast: String, authorization: String?, isNamed: Bool) {
        var auth = Self.auth
        // Anybody may publish it, and is told nothing for that.
        auth.broadcasts.append(.init(pattern: "hidden", publish: .open, watch: .secret(Secret("hidden"))))
        #expect(Authorizer(auth).mayKnow(of: broadcast, authorization: authorization) == isNamed)
    }

    @Test(arguments: [
        (nil as String?, Authorizer.Decision.missingCredentials), ("Basic watchers", .missingCredentials),
        ("Bearer wrong", .forbidden), ("Bearer watchers", .allowed), ("Bearer all", .allowed),
        ("Bearer global", .allowed),
    ])
    func aListWhereEverythingNeedsAToken(authorization: String?, expected: Authorizer.Decision) {
        var auth = Topology.Auth()
        auth.publish = .secret(Secret("global"))
        auth.watch = .secret(Secret("all"))
        auth.broadcasts = [.init(pattern: "private", watch: .secret(Secret("watchers")))]
        #expect(Authorizer(auth).decideList(authorization: authorization) == expected)
        auth.broadcasts.append(.init(pattern: "open", watch: .open))
        #expect(Authorizer(auth).decideList(authorization: authorization) == .allowed)
    }

    @Test func withoutATopologyNobodyGetsIn() {
        let authorizer = Authorizer(Topology.Auth())
        #expect(authorizer.decide(.watch, broadcast: "a", authorization: "Bearer x") == .forbidden)
        #expect(authorizer.decide(.publish, broadcast: "a", authorization: nil) == .missingCredentials)
    }

    @Test func hugeHeadersAreNotCredentials() {
        let authorizer = Authorizer(Self.auth)
        let header = "Bearer " + String(repeating: "a", count: 1 << 20)
        #expect(authorizer.decide(.publish, broadcast: "a", authorization: header) == .missingCredentials)
    }

    @Test(arguments: [
        ("*", "", true), ("*", "anything", true), ("a*", "a", true), ("a*", "b", false), ("*a", "bca", true),
        ("*a", "ab", false), ("a*c", "abcbc", true), ("a*c", "abcb", false), ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false), ("**", "x", true), ("a**b", "ab", true), ("abc", "abc", true), ("abc", "abcd", false),
        ("abcd", "abc", false), ("", "", true), ("", "a", false), ("a.c", "abc", false), ("*aab*", "aaaab", true),
    ])
    func patterns(pattern: String, name: String, expected: Bool) {
        #expect(Authorizer.matches(name, pattern: pattern) == expected)
    }

    @Test func worstPatternsStayCheap() {
        let name = String(repeating: "a", count: 128)
        let pattern = String(repeating: "a*", count: 63) + "b"
        for _ in 0..<100 { #expect(!Authorizer.matches(name, pattern: pattern)) }
    }

    @Test func everyByteOfATokenCounts() throws {
        let secret = Array("correct-horse-battery-staple".utf8)
        let expected = Secret(String(decoding: secret, as: UTF8.self))
        for index in secret.indices {
            var wrong = secret
            wrong[index] = wrong[index] == 65 ? 66 : 65
            let token = try #require(BearerToken("Bearer " + String(decoding: wrong, as: UTF8.self)))
            #expect(!token.equals(expected))
        }
        #expect(try #require(BearerToken("Bearer correct-horse-battery-staple")).equals(expected))
        #expect(!(try #require(BearerToken("Bearer x")).equals(Secret(""))))
    }
}
