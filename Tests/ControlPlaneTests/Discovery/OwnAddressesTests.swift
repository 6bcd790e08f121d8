import Testing
import WebRTC

@testable import ControlPlane

// Which of a host's addresses a node hears itself at.

@Suite struct OwnAddressesTests {
    private static let hosts = ["10.0.0.5", "192.0.2.7", "2001:db8::5", "127.0.0.1", "::1"]

    private func own(_ listen: String) -> [String] {
        let own = OwnAddresses(
            .init(host: listen, port: 9_080, url: ""), hosts: Self.hosts.map { TransportAddress($0, port: 0)! })
        return (Self.hosts + ["127.0.0.2", "10.0.0.6"]).filter { own.contains(TransportAddress($0, port: 9_080)!) }
    }

    /// Two nodes of a host may have one port: each leaves out itself, and asks the other.
    @Test func oneThatListensOnOneAddressIsNoOther() {
        #expect(own("10.0.0.5") == ["10.0.0.5"])
        #expect(own("127.0.0.1") == ["127.0.0.1"])
        #expect(own("2001:db8::5") == ["2001:db8::5"])
    }

    @Test func oneThatListensOnAllIsAllOfTheHosts() {
        #expect(own("0.0.0.0") == ["10.0.0.5", "192.0.2.7", "127.0.0.1", "127.0.0.2"])
        #expect(own("::") == Self.hosts + ["127.0.0.2"])
        #expect(own("localhost") == own("::"), "a name tells no more")
    }

    @Test func anotherPortIsAnotherNode() {
        let own = OwnAddresses(.init(host: "0.0.0.0", port: 9_081, url: ""), hosts: [])
        #expect(!own.contains(TransportAddress("127.0.0.1", port: 9_080)!))
    }
}
