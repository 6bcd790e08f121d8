// Seeded mutations of real descriptions: nothing may trap, and whatever is still agreed to is a sound answer.

import Testing

@testable import WebRTC

@Suite struct SDPMutations {
    private static let publishers = [
        ChromiumPublishing.chromiumVP8, ChromiumPublishingParts.chromiumSimulcast, FirefoxPublishing.firefoxSimulcast,
        EncoderPublishing.ffmpeg, EncoderPublishing.aiortcPublisher, EncoderPublishing.obs, EncoderPublishing.gstreamer,
    ]
    private static let viewers = [
        ChromiumViewing.chromiumAudioViewer, FirefoxViewing.firefoxViewer, FirefoxViewing.firefoxHiddenViewer,
    ]

    /// One to eight edits: bytes flipped, inserted or cut, lines removed, doubled, swapped or mixed in.
    private func mutate(_ lines: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var lines = lines
        let tokens = [
            "-1", "4294967296", "65536", "128", "::", "a=", "m=video 0 X 0", ";;=;", "\r", "\0", "\u{FFFD}", "+1",
        ]
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            guard let i = lines.indices.randomElement(using: &generator) else { break }
            let position = Int.random(in: 0...lines[i].count, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0 where position < lines[i].count: lines[i][position] = UInt8.random(in: 0...255, using: &generator)
            case 1: lines[i].insert(UInt8.random(in: 0...255, using: &generator), at: position)
            case 2: lines[i].removeLast(lines[i].count - position)
            case 3: lines.remove(at: i)
            case 4: lines.insert(lines[i], at: lines.indices.randomElement(using: &generator)!)
            case 5: lines.swapAt(i, lines.indices.randomElement(using: &generator)!)
            case 6: lines[i].insert(contentsOf: Array(tokens.randomElement(using: &generator)!.utf8), at: position)
            default:
                // A number becomes another one.
                let digits = lines[i].indices.filter { 48...57 ~= lines[i][$0] }
                if let d = digits.randomElement(using: &generator) {
                    lines[i][d] = UInt8.random(in: 48...57, using: &generator)
                }
            }
        }
        return Array(lines.joined(separator: Array("\r\n".utf8)))
    }

    private func lines(_ fixture: SDPFixture) -> [[UInt8]] {
        fixture.text.split(separator: "\n").map { Array($0.utf8) }
    }

    @Test(arguments: publishers) func ofPublishersOffers(fixture: SDPFixture) throws {
        var generator = SeededGenerator(seed: 0xCA5CADE)
        let original = lines(fixture)
        var agreed = 0
        for _ in 0..<400 {
            let bytes = mutate(original, &generator)
            _ = try? Negotiation.parseFragment(bytes)
            guard let offer = try? SessionDescription.parse(bytes),
                let (answer, agreement) = try? Negotiation.answerPublisher(
                    offer, local: testTransport, using: &generator)
            else { continue }
            agreed += 1
            #expect(try SessionDescription.parse(answer.description) == answer)
            #expect(answer.media.count == offer.media.count)
            #expect(agreement.tracks.allSatisfy { !$0.encodings.isEmpty && $0.encodings.count <= 8 })
            #expect(Negotiation.fragment(local: testTransport, agreement: agreement).utf8.count > 0)
        }
        #expect(agreed > 40, "mutations so rough that nothing gets through test nothing")
    }

    @Test(arguments: viewers) func ofViewersOffers(fixture: SDPFixture) throws {
        var generator = SeededGenerator(seed: 0xCA5CADE)
        let original = lines(fixture)
        var agreed = 0
        for _ in 0..<400 {
            guard let offer = try? SessionDescription.parse(mutate(original, &generator)),
                let (answer, agreement) = try? Negotiation.answerViewer(
                    offer, broadcast: [TrackFormat(codec: opus), TrackFormat(codec: vp8)], streamName: "x",
                    local: testTransport, using: &generator)
            else { continue }
            agreed += 1
            #expect(try SessionDescription.parse(answer.description) == answer)
            #expect(agreement.tracks.allSatisfy { $0.local != nil })
        }
        #expect(agreed > 40)
    }

    @Test func ofAnswers() throws {
        var generator = SeededGenerator(seed: 0xCA5CADE)
        for (offer, answer) in [
            (BrowserAnswers.relayOffer, BrowserAnswers.chromiumAnswer),
            (BrowserAnswers.publishOffer, BrowserAnswers.firefoxAnswer),
        ] {
            let (offer, original) = (try parsed(offer), lines(answer))
            var agreed = 0
            for _ in 0..<300 {
                guard let answer = try? SessionDescription.parse(mutate(original, &generator)),
                    let agreement = try? Negotiation.accept(answer: answer, to: offer)
                else { continue }
                agreed += 1
                #expect(!agreement.tracks.isEmpty)
            }
            #expect(agreed > 30)
        }
    }

    /// As many of everything as fits: bounded work and a bounded answer.
    @Test func ofTheLargestSize() throws {
        let fillers: [(Int) -> String] = [
            { "a=ssrc:\($0) cname:x" }, { "a=ssrc-group:FID \($0) \($0 + 1)" }, { "a=rid:r\($0) send" },
            { "a=candidate:1 1 udp 1 10.0.\($0 / 256 % 256).\($0 % 256) 1000 typ host" },
            { "a=extmap:\($0 % 256) urn:x:\($0)" }, { "a=rtcp-fb:96 x \($0)" }, { "a=fmtp:96 x=\($0)" },
        ]
        for filler in fillers {
            var lines = ["a=rtpmap:96 VP8/90000", "a=extmap:1 \(ExtensionURI.rid)"]
            lines.append("a=simulcast:send " + (0..<2_000).map { "r\($0)" }.joined(separator: ";"))
            var room = SessionDescription.maximumBytes - 16_000
            for line in (0...).lazy.map(filler) {
                room -= line.utf8.count + 2
                guard room > 0 else { break }
                lines.append(line)
            }
            let (answer, agreement) = try publisherAnswer(smallOffer(direction: "sendonly", lines))
            #expect(answer.description.utf8.count < 4_096)
            #expect(agreement.tracks[0].encodings.count <= MediaSection.maximumEncodings)
        }
    }
}
