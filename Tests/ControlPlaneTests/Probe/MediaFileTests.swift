// Media files are read as ffmpeg writes them; broken ones give an error with a place, never a crash.

import Testing
import WebRTC

@testable import probe

@Suite struct MediaFileTests {
    @Test func ivf() throws {
        let track = try IVFFile.parse(Sample.ivf)
        #expect(track.codec == CodecFormat(name: .vp8, clockRate: 90_000))
        #expect(track.frames.map(\.timestamp) == [0, 9_000, 18_000])
        #expect(track.frames.map(\.bytes.count) == [57, 17, 17])
        #expect(track.duration == 27_000)
    }

    @Test func ivfThatIsStillBeingWrittenEndsBeforeTheCut() throws {
        for length in Sample.ivf.count - 17..<Sample.ivf.count {
            #expect(try IVFFile.parse(Array(Sample.ivf[..<length])).frames.count == 2)
        }
    }

    @Test func ivfBeginsWithAKeyFrame() throws {
        // Without its first frame the clip has no key frame at all.
        let headless = Array(Sample.ivf[..<32]) + Sample.ivf[(32 + 12 + 57)...]
        #expect(throws: MediaFileError.self) { try IVFFile.parse(headless) }
    }

    @Test(arguments: [
        (0, UInt8(0), "DKIF"), (11, UInt8(ascii: "1"), "only VP8"), (16, 0, "time base"), (35, 0xFF, "a frame of"),
        (32 + 12 + 57 + 11, 0xFF, "absurd"),
    ])
    func ivfErrors(at offset: Int, value: UInt8, reason: String) throws {
        var file = Sample.ivf
        file[offset] = value
        let error = #expect(throws: MediaFileError.self) { try IVFFile.parse(file) }
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func annexB() throws {
        let track = try AnnexBFile.parse(Sample.annexB, framesPerSecond: 10)
        #expect(track.codec.name == .h264)
        #expect(track.codec.fmtp == "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c00a")
        #expect(track.frames.map(\.timestamp) == [0, 9_000, 18_000])
        #expect(track.duration == 27_000)
        // Two slices each; parameters (and a delimiter, from the second on) belong to the frame that they precede.
        let types = track.frames.map { frame in
            unsafe H264Payload.nalUnits(in: frame.bytes.span.bytes).map { frame.bytes[$0.lowerBound] & 0x1F }
        }
        #expect(types == [[7, 8, 5, 5], [9, 1, 1], [9, 7, 8, 5, 5]])
    }

    @Test func annexBWithoutParametersIsRefused() {
        #expect(throws: MediaFileError.self) {
            try AnnexBFile.parse([0, 0, 0, 1, 0x65, 0x88, 1, 2], framesPerSecond: 30)
        }
        #expect(throws: MediaFileError.self) { try AnnexBFile.parse(Array("no video".utf8), framesPerSecond: 30) }
        #expect(throws: MediaFileError.self) { try AnnexBFile.parse([], framesPerSecond: 30) }
    }

    @Test func oggOpus() throws {
        let track = try OggOpusFile.parse(Sample.ogg)
        #expect(track.codec.name == .opus && track.codec.clockRate == 48_000 && track.codec.channels == 2)
        #expect(track.frames.map(\.timestamp) == [0, 960, 1_920, 2_880])
        #expect(track.frames.map(\.bytes.count) == [17, 23, 16, 23])
        #expect(track.duration == 3_840)
    }

    /// A packet of more than 255 segments goes on in the next page; other streams' pages lie between.
    @Test func oggPacketsSpanPages() throws {
        func page(_ type: UInt8, serial: UInt8, lacing: [UInt8], _ body: [UInt8]) -> [UInt8] {
            Array("OggS".utf8) + [0, type] + [UInt8](repeating: 0, count: 8) + [serial, 0, 0, 0]
                + [UInt8](repeating: 0, count: 8) + [UInt8(lacing.count)] + lacing + body
        }
        let head = Array("OpusHead".utf8) + [1, 2] + [UInt8](repeating: 0, count: 9)
        let tags = Array("OpusTags".utf8)
        let packet: [UInt8] = [0xFC] + [UInt8](repeating: 7, count: 599)
        let file =
            page(2, serial: 9, lacing: [7], Array("\u{1}vorbis".utf8)) + page(2, serial: 1, lacing: [19], head)
            + page(0, serial: 1, lacing: [8, 255], tags + packet[..<255]) + page(0, serial: 9, lacing: [3], [1, 2, 3])
            + page(1, serial: 1, lacing: [255, 90], Array(packet[255...]))
        let track = try OggOpusFile.parse(file)
        #expect(track.frames.map(\.bytes) == [packet])
        #expect(track.codec.fmtp.contains("stereo=1"))
        // Without the "continued" flag the beginning is lost, and what follows is no packet of this stream's.
        var broken = file
        broken[file.count - (90 + 255 + 2 + 1 + 8 + 4 + 8 + 1)] = 0
        #expect(try OggOpusFile.parse(broken).frames.map(\.bytes.count) == [345])
    }

    @Test(
        arguments: [
            ([0x00], 480), ([0x18], 2_880), ([0x60], 480), ([0x80], 120), ([0xF8], 960), ([0xF9], 1_920),
            ([0xFB, 0x06], 5_760), ([0xFB, 0x07], nil), ([0xFB, 0x00], nil), ([0xFB], nil), ([], nil),
        ] as [([UInt8], Int64?)])
    func opusDurations(packet: [UInt8], samples: Int64?) {
        #expect(OggOpusFile.duration(of: packet) == samples)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func mutatedFilesNeverCrash(seed: UInt64) {
        for file in Sample.mutations(of: Sample.ivf, count: 2_000, seed: seed) { _ = try? IVFFile.parse(file) }
        for file in Sample.mutations(of: Sample.ogg, count: 2_000, seed: seed) { _ = try? OggOpusFile.parse(file) }
        for file in Sample.mutations(of: Sample.annexB, count: 500, seed: seed) {
            _ = try? AnnexBFile.parse(file, framesPerSecond: 30)
        }
    }
}
