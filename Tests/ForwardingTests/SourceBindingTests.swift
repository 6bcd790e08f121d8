// Which SSRC is which encoding: told by SDP, by MID and RID, by payload type, or not at all; and how RTX comes home.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct SourceBindingTests {
    static let vp8 = CodecFormat(name: .vp8, clockRate: 90_000)
    static let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)
    static let formats = [TrackFormat(codec: vp8), TrackFormat(codec: opus)]

    static func tracks(rids: [String] = [], ssrc: SSRC? = nil, rtxSSRC: SSRC? = nil) -> [NegotiatedTrack] {
        var extensions = HeaderExtensionIDs()
        (extensions.mid, extensions.rid, extensions.repairedRID, extensions.transportSequence) = (1, 2, 3, 4)
        var video = NegotiatedTrack(
            mid: "v", codec: vp8, payloadType: PayloadType(96), rtxPayloadType: PayloadType(97),
            feedback: [.nack, .pli, .transportCC], extensions: extensions)
        video.encodings =
            rids.isEmpty ? [.init(ssrc: ssrc, rtxSSRC: rtxSSRC)] : rids.map { NegotiatedTrack.Encoding(rid: $0) }
        let audio = NegotiatedTrack(
            mid: "a", codec: opus, payloadType: PayloadType(111), feedback: [.transportCC], extensions: extensions)
        return [video, audio]
    }

    static func source(_ tracks: [NegotiatedTrack], limits: Limits = Limits()) throws -> Source {
        var random = SeededGenerator(seed: 1)
        return try #require(Source(tracks, formats: formats, limits: limits, random: &random))
    }

    static func packet(
        _ type: UInt8, ssrc: UInt32, sequence: UInt16 = 1, mid: String? = nil, rid: String? = nil,
        repaired: String? = nil, transport: UInt16? = nil, payload: [UInt8] = [0x10, 0, 1, 2]
    ) -> [UInt8] {
        var extensions: [(id: UInt8, data: [UInt8])] = []
        if let mid { extensions.append((1, Array(mid.utf8))) }
        if let rid { extensions.append((2, Array(rid.utf8))) }
        if let repaired { extensions.append((3, Array(repaired.utf8))) }
        if let transport { extensions.append((4, [UInt8(transport >> 8), UInt8(truncatingIfNeeded: transport)])) }
        return RTPHeader.packet(
            payloadType: PayloadType(type), sequence: SequenceNumber(sequence), timestamp: 0, ssrc: SSRC(ssrc),
            extensions: extensions, payload: payload)
    }

    /// (track, encoding, is repair), or nil.
    static func locate(_ source: inout Source, _ bytes: [UInt8]) -> [Int]? {
        let span = unsafe bytes.span.bytes
        guard let packet = RTPPacket.parse(span), let place = source.locate(packet, in: span) else { return nil }
        return [place.track, place.encoding, place.isRepair ? 1 : 0]
    }

    @Test func ssrcsOfTheSDPAreKnownAtOnce() throws {
        var source = try Self.source(Self.tracks(ssrc: SSRC(7), rtxSSRC: SSRC(8)))
        #expect(Self.locate(&source, Self.packet(96, ssrc: 7)) == [0, 0, 0])
        #expect(Self.locate(&source, Self.packet(97, ssrc: 8)) == [0, 0, 1])
    }

    @Test func payloadTypesAreEnoughWhereTheyAreUnique() throws {
        var source = try Self.source(Self.tracks())
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1)) == [0, 0, 0])
        #expect(Self.locate(&source, Self.packet(97, ssrc: 2)) == [0, 0, 1])
        #expect(Self.locate(&source, Self.packet(111, ssrc: 3)) == [1, 0, 0])
        #expect(Self.locate(&source, Self.packet(100, ssrc: 4)) == nil)
    }

    @Test func aMIDMustAgreeWithThePayloadType() throws {
        var source = try Self.source(Self.tracks())
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "a")) == nil)
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "nobody")) == nil)
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "v")) == [0, 0, 0])
        // Known by its SSRC from then on.
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1)) == [0, 0, 0])
    }

    @Test func ridsTellTheEncodingsOfASimulcastTrack() throws {
        var source = try Self.source(Self.tracks(rids: ["q", "h", "f"]))
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "v")) == nil, "which encoding?")
        #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "v", rid: "h")) == [0, 1, 0])
        #expect(Self.locate(&source, Self.packet(97, ssrc: 2, mid: "v", repaired: "h")) == [0, 1, 1])
        #expect(Self.locate(&source, Self.packet(96, ssrc: 3, mid: "v", rid: "q")) == [0, 0, 0])
        #expect(Self.locate(&source, Self.packet(96, ssrc: 4, mid: "v", rid: "x")) == nil)
    }

    /// Each section has a map of its own (RFC 8285 §5), in which one id means different things.
    @Test func extensionIDsAreThoseOfTheTracksOwnSection() throws {
        var tracks = Self.tracks(rids: ["q", "h"])
        tracks[0].extensions = HeaderExtensionIDs()
        (tracks[0].extensions.mid, tracks[0].extensions.rid, tracks[0].extensions.repairedRID) = (3, 1, 2)
        tracks[0].extensions.transportSequence = 4
        tracks[1].extensions = HeaderExtensionIDs()
        for order in [[0, 1], [1, 0]] {
            let ordered = order.map { tracks[$0] }
            let (video, audio) = (order.firstIndex(of: 0)!, order.firstIndex(of: 1)!)
            // Id 1 is video's RID; audio has no extension, or MID as id 1.
            for audioMID in [0, 1] as [UInt8] {
                var ordered = ordered
                ordered[audio].extensions.mid = audioMID
                var source = try Self.source(ordered)
                #expect(Self.locate(&source, Self.packet(96, ssrc: 1, mid: "h")) == [video, 1, 0], "no MID")
                #expect(Self.locate(&source, Self.packet(96, ssrc: 2, mid: "q", repaired: "v")) == [video, 0, 0])
                #expect(Self.locate(&source, Self.packet(97, ssrc: 3, rid: "h", repaired: "v")) == [video, 1, 1])
                #expect(Self.locate(&source, Self.packet(97, ssrc: 4, mid: "q")) == [video, 0, 1], "RID of a repair")
                #expect(Self.locate(&source, Self.packet(96, ssrc: 5, mid: "q", repaired: "a")) == nil)
                #expect(Self.locate(&source, Self.packet(111, ssrc: 6, mid: "a")) == [audio, 0, 0])
                let bytes = Self.packet(96, ssrc: 1, transport: 77)
                let span = unsafe bytes.span.bytes
                source.recordTransportSequence(RTPPacket.parse(span)!, of: video, in: span, now: .zero)
                #expect(source.nextDeadline < .distantFuture)
            }
        }
    }

    @Test func aNewSSRCReplacesTheOldOneOfItsEncoding() throws {
        var source = try Self.source(Self.tracks())
        for ssrc in 1...100 as ClosedRange<UInt32> {
            #expect(Self.locate(&source, Self.packet(96, ssrc: ssrc)) == [0, 0, 0])
        }
        #expect(source.tracks[0].encodings[0].ssrc == SSRC(100))
    }

    @Test func strangeSSRCsOccupyNothing() throws {
        var limits = Limits()
        limits.streamsPerSource = 3
        var source = try Self.source(Self.tracks(rids: ["q", "h", "f"]), limits: limits)
        for ssrc in 1...50 as ClosedRange<UInt32> { #expect(Self.locate(&source, Self.packet(100, ssrc: ssrc)) == nil) }
        for (i, rid) in ["q", "h", "f"].enumerated() {
            #expect(Self.locate(&source, Self.packet(96, ssrc: 60 + UInt32(i), rid: rid)) == [0, i, 0])
        }
        #expect(Self.locate(&source, Self.packet(111, ssrc: 70)) == nil, "the bound is reached")
    }

    @Test func rtxIsUnpackedToTheOriginalPacket() throws {
        var source = try Self.source(Self.tracks(ssrc: SSRC(7), rtxSSRC: SSRC(8)))
        func receive(_ bytes: [UInt8]) -> Source.Received {
            let span = unsafe bytes.span.bytes
            let packet = RTPPacket.parse(span)!
            return source.receive(packet, at: source.locate(packet, in: span)!, in: span, now: .zero)
        }
        for sequence in [500, 502] as [UInt16] { _ = receive(Self.packet(96, ssrc: 7, sequence: sequence)) }
        guard
            case .media(let sequence, let payload, let lostTooMuch) = receive(
                Self.packet(97, ssrc: 8, sequence: 9, payload: [1, 0xF5, 0xAA, 0xBB]))
        else { return { _ = Issue.record("a repair is media") }() }
        #expect(sequence == 501 && payload.count == 2 && !lostTooMuch)
        // Again, and a probe without a packet inside.
        guard case .dropped(.duplicate) = receive(Self.packet(97, ssrc: 8, sequence: 10, payload: [1, 0xF5, 0xAA]))
        else { return { _ = Issue.record("a second repair is a duplicate") }() }
        guard case .nothing = receive(Self.packet(97, ssrc: 8, sequence: 11, payload: [])) else {
            return { _ = Issue.record("padding is nothing") }()
        }
    }

    @Test func feedbackOfAnUnknownStreamDoesNotStayDue() throws {
        // Transport-wide numbers are recorded before anybody knows whose packet it is: the deadline must pass.
        var source = try Self.source(Self.tracks(rids: ["q", "h"]))
        let bytes = Self.packet(96, ssrc: 1, transport: 77)
        let span = unsafe bytes.span.bytes
        source.recordTransportSequence(RTPPacket.parse(span)!, of: nil, in: span, now: .zero)
        let due = source.nextDeadline
        #expect(due < .distantFuture)
        #expect(source.dueFeedback(now: due).count == 1)
        #expect(source.nextDeadline > due)
    }
}

extension Source {
    fileprivate var nextDeadline: Instant {
        var deadline = Deadline(.distantFuture, .transport)
        include(in: &deadline)
        return deadline.at
    }
}
