// The client's side (relay, probe): our offers against our own answers and against real browsers' answers.

import Testing

@testable import WebRTC

@Suite struct OfferingAndAccepting {
    private let client = LocalTransport(
        ice: ICECredentials(ufrag: "clientAA", password: "clientclientclientclient"),
        fingerprint: Fingerprint(algorithm: .sha256, bytes: Array(repeating: 7, count: 32)),
        candidates: [TransportAddress("192.0.2.9", port: 7000)!])

    private func relay(_ broadcast: [TrackFormat]) throws -> (client: Agreement, server: Agreement) {
        var generator = SeededGenerator(seed: 3)
        let offer = Negotiation.offer(receiving: [.video, .audio], local: client, using: &generator)
        let (answer, server) = try Negotiation.answerViewer(
            SessionDescription.parse(offer.description), broadcast: broadcast, streamName: "x", local: testTransport,
            using: &generator)
        return (try Negotiation.accept(answer: SessionDescription.parse(answer.description), to: offer), server)
    }

    @Test(arguments: [
        vp8, h264("42e01f"), h264("42001e"), h264("640028"), h264("4d401f", mode: 0), h264("f4001f"),
        CodecFormat(name: .vp9, clockRate: 90_000), CodecFormat(name: .vp9, clockRate: 90_000, fmtp: "profile-id=2"),
        CodecFormat(name: .av1, clockRate: 90_000, fmtp: "level-idx=5;profile=0;tier=0"),
    ])
    func aRelayGetsEveryCodec(video: CodecFormat) throws {
        let (client, server) = try relay([opus, video].map { TrackFormat(codec: $0) })
        #expect(client.tracks.map(\.mid) == ["0", "1"] && client.bundle == ["0", "1"])
        for (mine, theirs) in zip(client.tracks, server.tracks) {
            #expect(mine.codec == theirs.codec && mine.payloadType == theirs.payloadType)
            #expect(mine.rtxPayloadType == theirs.rtxPayloadType && mine.feedback == theirs.feedback)
            #expect(mine.extensions == theirs.extensions && mine.local == nil)
            #expect(mine.alternatives == theirs.alternatives)
            let local = try #require(theirs.local)
            #expect(mine.encodings == [.init(ssrc: local.ssrc, rtxSSRC: local.rtxSSRC)])
        }
        #expect(client.tracks[0].feedback == [.nack, .pli, .fir, .transportCC])
        #expect(client.tracks[1].feedback == [.nack])
        // Every other codec may follow under its own payload type.
        #expect(client.tracks[1].alternatives.isEmpty && client.tracks[0].alternatives.count == 19)
        #expect(Set(client.tracks[0].alternatives.map(\.payloadType)).count == 19)
        #expect(client.tracks[0].alternatives.allSatisfy { $0.rtxPayloadType != nil })
        // What the next node offers its viewers is the same codec with the same profile.
        let passedOn = try #require(Negotiation.formats(of: client).first)
        #expect(passedOn.codec.mismatch(playing: video) == 0 && video.mismatch(playing: passedOn.codec) == 0)
    }

    @Test func stereoCrossesTheRelay() throws {
        var stereo = opus
        stereo.fmtp += ";stereo=1"
        let (client, _) = try relay([TrackFormat(codec: stereo)])
        #expect(client.tracks.map(\.kind) == [.audio])
        #expect(client.tracks[0].codec.fmtp.contains("sprop-stereo=1"))
    }

    @Test func transportsMeet() throws {
        let (client, server) = try relay([TrackFormat(codec: vp8)])
        #expect(client.remote.dtlsActive && !server.remote.dtlsActive)
        #expect(client.remote.setup == .passive && server.remote.setup == .active)
        #expect(client.remote.iceLite && !server.remote.iceLite)
        #expect(client.remote.ice == testTransport.ice && server.remote.ice == self.client.ice)
        #expect(client.remote.fingerprints == [testTransport.fingerprint])
        #expect(client.remote.candidates.map(\.host) == ["192.0.2.1", "2001:db8::1", "127.0.0.1"])
        #expect(server.remote.candidates == self.client.candidates)
        #expect(client.remote.iceOptions == ["trickle", "ice2"])
    }

    @Test func aProbePublishes() throws {
        var generator = SeededGenerator(seed: 4)
        let tracks = [TrackFormat(codec: opus), TrackFormat(codec: h264("42e01f"))]
        let offer = Negotiation.offer(sending: tracks, streamName: "probe", local: client, using: &generator)
        let (answer, server) = try Negotiation.answerPublisher(
            SessionDescription.parse(offer.description), local: testTransport, using: &generator)
        let agreement = try Negotiation.accept(answer: answer, to: offer)
        #expect(Negotiation.formats(of: server) == tracks)
        for (mine, theirs) in zip(agreement.tracks, server.tracks) {
            let local = try #require(mine.local)
            #expect(theirs.encodings == [.init(ssrc: local.ssrc, rtxSSRC: local.rtxSSRC)])
            #expect(mine.encodings.isEmpty && mine.codec == theirs.codec)
            #expect(local.cname.utf8.count == 16)
        }
        #expect(agreement.tracks[1].local?.rtxSSRC != nil && agreement.tracks[0].local?.rtxSSRC == nil)
    }

    @Test func offersOfOneBundleNumberPayloadTypesOnce() throws {
        var generator = SeededGenerator(seed: 5)
        let offer = Negotiation.offer(receiving: [.video, .audio], local: client, using: &generator)
        let types = offer.media.flatMap(\.formats).compactMap { UInt8($0) }
        #expect(Set(types).count == types.count)
        #expect(types.allSatisfy { 35...63 ~= $0 || 96...127 ~= $0 })
        #expect(offer.media[1].formats == ["111"])
    }

    @Test func chromiumsAnswerIsUnderstood() throws {
        let agreement = try Negotiation.accept(
            answer: parsed(BrowserAnswers.chromiumAnswer), to: parsed(BrowserAnswers.relayOffer))
        #expect(agreement.tracks.map(\.codec.name) == [.vp8, .opus])
        #expect(agreement.tracks[0].rtxPayloadType != nil)
        #expect(agreement.tracks.allSatisfy { $0.encodings.count == 1 && $0.encodings[0].ssrc != nil })
        #expect(agreement.tracks[0].encodings[0].rtxSSRC != nil)
        #expect(agreement.remote.dtlsActive && !agreement.remote.iceLite)
    }

    @Test func firefoxsAnswerIsUnderstood() throws {
        let agreement = try Negotiation.accept(
            answer: parsed(BrowserAnswers.firefoxAnswer), to: parsed(BrowserAnswers.publishOffer))
        #expect(agreement.tracks.map(\.codec.name) == [.opus, .vp8])
        #expect(agreement.tracks.allSatisfy { $0.local != nil && $0.encodings.isEmpty })
        #expect(agreement.tracks[1].feedback.contains([.nack, .pli, .transportCC]))
        #expect(agreement.remote.dtlsActive)
    }

    @Test(arguments: [
        ("a=setup:passive", "a=setup:active", "setup:active"), ("a=setup:passive", "a=setup:actpass", "setup:actpass"),
        ("m=video 9", "m=audio 9", "m=audio"), ("m=video 9", "m=video 0", "declined"),
        ("a=sendonly", "a=inactive", "neither"), ("a=rtpmap:96 VP8", "a=rtpmap:96 VP9", "codec"),
    ])
    func answersThatDoNotFit(old: String, new: String, words: String) throws {
        var generator = SeededGenerator(seed: 6)
        let offer = Negotiation.offer(receiving: [.video], local: client, using: &generator)
        let (answer, _) = try Negotiation.answerViewer(
            offer, broadcast: [TrackFormat(codec: vp8)], streamName: "x", local: testTransport, using: &generator)
        var only = answer
        // The answer's other codecs would do in place of a broken first one.
        only.media[0].formats = Array(answer.media[0].formats.prefix(2))
        let broken = try SessionDescription.parse(only.description.replacing(old, with: new))
        let error = #expect(throws: NegotiationError.self) { try Negotiation.accept(answer: broken, to: offer) }
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
    }

    @Test func anAnswerOfAnotherLengthIsRefused() throws {
        let offer = try parsed(BrowserAnswers.relayOffer)
        var answer = try parsed(BrowserAnswers.chromiumAnswer)
        answer.media.removeLast()
        #expect(throws: NegotiationError.self) { try Negotiation.accept(answer: answer, to: offer) }
    }
}
