import Forwarding
import Testing
import WebRTC

// When the control plane hears that somebody is there: from then on a half-open session is no stranger's any more.

struct FirstCheckTests {
    private func watch(_ losing: @escaping (_ toUnit: Bool) -> Bool) throws -> [String] {
        let codec = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)
        let peers = try DirectPeers(seed: 1, tracks: [TrackFormat(codec: codec)])
        peers.loses = { _, toUnit in losing(toUnit) }
        _ = peers.connect(
            .sink,
            [
                NegotiatedTrack(
                    mid: "0", codec: codec, payloadType: PayloadType(111), feedback: [],
                    local: .init(ssrc: SSRC(500), rtxSSRC: nil, cname: "c"))
            ])
        peers.run(for: .seconds(Int64(1)))
        return peers.events.compactMap { event in
            switch event {
            case .checked: "checked"
            case .connected: "connected"
            default: nil
            }
        }
    }

    @Test func aCheckIsToldOnceBeforeTheConnection() throws {
        #expect(try watch { _ in false } == ["checked", "connected"])
    }

    /// The peer, which hears no answer, checks again and again.
    @Test func aPeerThatGetsNoFurtherIsCheckedAllTheSame() throws {
        #expect(try watch { toUnit in !toUnit } == ["checked"])
    }

    @Test func withoutACheckNothingIsTold() throws {
        #expect(try watch { toUnit in toUnit } == [])
    }
}
