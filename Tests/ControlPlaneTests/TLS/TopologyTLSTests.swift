import Foundation
import Testing

@testable import ControlPlane

// The `internal_tls` section: what is wrong with it is said with its place, and never a key.

@Suite struct TopologyTLSTests {
    private static func yaml(_ section: String, internalURL: String = "https://127.0.0.1:9080") -> String {
        TopologySample.yaml
            .replacingOccurrences(of: "on_conflict: reject\n", with: "on_conflict: reject\n" + section)
            .replacingOccurrences(of: "http://127.0.0.1:9080", with: internalURL)
    }

    @Test func filesMayBeNamedByNode() throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(in: folder)
        for name in ["origin-1", "edge-1", "edge-2"] { try authority.issue(name) }
        let section = "internal_tls: { ca: ca.pem, certificate: \"{node}.pem\", key: \"{node}.key\" }\n"
        for role in [Topology.Role.origin, .edge] {
            let (topology, _) = try Topology.parse(
                Self.yaml(section), directory: folder.path, for: TopologySample.request(role))
            #expect(topology.internalTLS?.of("edge-1") == authority.files("edge-1"))
            #expect(topology.nodes.map(\.internalListener.url).allSatisfy { $0.hasPrefix("https://") })
            #expect(topology.nodes.map(\.publicListener.url).allSatisfy { $0.hasPrefix("http://") })
        }
    }

    @Test func schemeAndSectionGoTogether() throws {
        #expect(
            TopologySample.problems(Self.yaml("")) == [
                "t:19: nodes[0].internal.url: expected http://…: https needs internal_tls"
            ])
        let section = "internal_tls: { ca: /nowhere/ca.pem, certificate: a, key: b }\n"
        #expect(
            TopologySample.problems(Self.yaml(section, internalURL: "http://127.0.0.1:9080")) == [
                "t:9: internal_tls.ca: /nowhere/ca.pem does not exist",
                "t:20: nodes[0].internal.url: expected https://…: internal_tls is set",
            ])
    }

    @Test(arguments: [
        ("internal_tls: { ca: a, certificate: b }\n", ["t:9: internal_tls.key: is missing"]),
        ("internal_tls: open\n", ["t:9: internal_tls: expected a mapping, found a single value"]),
        (
            "internal_tls: { ca: a, certificate: b, key: c, token: d }\n",
            [
                "t:9: internal_tls.token: unknown key; known here: ca, certificate, key",
                "t:9: internal_tls.ca: ./a does not exist",
            ]
        ),
    ])
    func shapes(section: String, problems: [String]) {
        #expect(Set(TopologySample.problems(Self.yaml(section))) == Set(problems))
    }

    @Test func filesThatDoNotFitAreNamed() throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(in: folder)
        try authority.issue("origin-1")
        try authority.issue("other")
        try folder.put("no PEM", at: "rubbish")
        try run(
            "openssl", "ec", "-aes256", "-passout", "pass:x", "-in", folder.file("origin-1.key"),
            "-out", folder.file("locked.key"))
        for (ca, certificate, key, problem) in [
            ("rubbish", "origin-1.pem", "origin-1.key", "internal_tls.ca: holds no certificate in PEM"),
            ("ca.pem", "rubbish", "origin-1.key", "internal_tls.certificate: holds no certificate in PEM"),
            ("ca.pem", "origin-1.pem", "rubbish", "internal_tls.key: holds no key in PEM without a pass phrase"),
            ("ca.pem", "origin-1.pem", "locked.key", "internal_tls.key: holds no key in PEM without a pass phrase"),
            ("ca.pem", "origin-1.pem", "other.key", "internal_tls.key: is not the key of the certificate"),
        ] {
            let section = "internal_tls: { ca: \(ca), certificate: \(certificate), key: \(key) }\n"
            let error = #expect(throws: ConfigurationError.self) {
                try Topology.parse(
                    Self.yaml(section), file: "t", directory: folder.path, for: TopologySample.request())
            }
            #expect(error?.problems.map(\.description) == ["t:9: " + problem])
        }
    }

    private static func publicYAML(_ certificate: String, _ key: String, url: String = "https://a.example") -> String {
        TopologySample.yaml.replacing(
            "\"http://127.0.0.1:8080\" }",
            with: "\"\(url)\", tls: { certificate: \"\(certificate)\", key: \"\(key)\" }, http: \"0.0.0.0:80\", "
                + "acme_challenges: challenges, proxies: [\"10.0.0.0/8\"] }")
    }

    @Test func aPublicListenerMayHaveTLS() throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(in: folder)
        try authority.issue("origin-1")
        let (topology, _) = try Topology.parse(
            Self.publicYAML("{node}.pem", "{node}.key"), directory: folder.path, for: TopologySample.request())
        let front = topology.nodes[0].front
        #expect(front.tls?.ca == nil && front.tls?.all == Array(authority.files("origin-1").all.dropFirst()))
        #expect(front.plain == .init(host: "0.0.0.0", port: 80, challenges: folder.file("challenges")))
        #expect(front.proxies == [try AddressBlock("10.0.0.0/8")])
        // Only who runs has to have its files.
        #expect(TopologySample.problems(Self.publicYAML("no.pem", "no.key"), for: TopologySample.request(.edge)) == [])
    }

    @Test func halfCertificatesOfThePublicListenerAreNamed() throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(in: folder)
        for name in ["a", "b"] { try authority.issue(name) }
        try folder.put("no PEM", at: "rubbish")
        let whole = try String(contentsOfFile: folder.file("a.pem"), encoding: .utf8)
        let half = String(whole.prefix(whole.count / 2))
        try folder.put(half, at: "half.pem")
        try folder.put(whole + half, at: "chain.pem")
        try folder.put(whole + whole.replacing("MII", with: "M%I"), at: "broken.pem")
        for (certificate, key, problem) in [
            ("absent.pem", "a.key", "certificate: \(QuotedText.shown(folder.file("absent.pem"))) does not exist"),
            ("a.pem", "absent.key", "key: \(QuotedText.shown(folder.file("absent.key"))) does not exist"),
            ("half.pem", "a.key", "certificate: certificate 1: bad end line"),
            ("chain.pem", "a.key", "certificate: certificate 2: bad end line"),
            ("broken.pem", "a.key", "certificate: certificate 2: bad base64 decode"),
            ("a.key", "a.pem", "certificate: holds no certificate in PEM"),
            ("a.pem", "rubbish", "key: holds no key in PEM without a pass phrase"),
            ("a.pem", "b.key", "key: is not the key of the certificate"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try Topology.parse(
                    Self.publicYAML(certificate, key), file: "t", directory: folder.path, for: TopologySample.request())
            }
            #expect(error?.problems.map(\.description) == ["t:18: nodes[0].public.tls." + problem])
        }
    }
}
