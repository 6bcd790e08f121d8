import WebRTC

/// H.264 in Annex B format (a `.h264` file): NAL units after start codes, without timestamps. Frames are taken as equally
/// long and in display order: a stream with B-frames needs a container that says more.
package enum AnnexBFile {
    private static let clockRate: UInt32 = 90_000
    private static let sequenceParameters: UInt8 = 7

    package static func parse(_ file: [UInt8], framesPerSecond: Double) throws(MediaFileError) -> ClipTrack {
        let units = unsafe H264Payload.nalUnits(in: file.span.bytes)
        // Without parameters nothing can be decoded: the clip begins with them.
        guard let begin = units.firstIndex(where: { type(file, $0) == sequenceParameters && $0.count >= 4 }) else {
            throw MediaFileError(offset: 0, reason: "no H.264 sequence parameter set in Annex B format")
        }
        var frames: [ClipTrack.Frame] = []
        var unit: [UInt8] = []
        var hasPicture = false
        let ticks = Double(clockRate) / framesPerSecond
        func finishFrame() {
            let timestamp = Int64((Double(frames.count) * ticks).rounded())
            if hasPicture { frames.append(.init(timestamp: timestamp, bytes: unit)) }
        }
        for range in units[begin...] {
            if hasPicture, beginsAccessUnit(file, range) {
                finishFrame()
                (unit, hasPicture) = ([], false)
            }
            if isPicture(type(file, range)) { hasPicture = true }
            unit += [0, 0, 0, 1] + file[range]
        }
        finishFrame()
        guard !frames.isEmpty else { throw MediaFileError(offset: units[begin].lowerBound, reason: "no picture") }
        let profile = file[units[begin]].dropFirst().prefix(3).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=\(profile.joined())"
        return ClipTrack(
            codec: CodecFormat(name: .h264, clockRate: clockRate, fmtp: fmtp), frames: frames,
            duration: max(1, Int64((Double(frames.count) * ticks).rounded())))
    }

    private static func type(_ file: [UInt8], _ unit: Range<Int>) -> UInt8 { file[unit.lowerBound] & 0x1F }

    /// A coded slice (ITU-T H.264 table 7-1).
    private static func isPicture(_ type: UInt8) -> Bool { type == 1 || type == 2 || type == 5 }

    /// ITU-T H.264 §7.4.1.2.3, after a picture: parameters, SEI, a delimiter, or a slice with macroblock 0, whose first
    /// field, `first_mb_in_slice`, is the single bit 1 (Exp-Golomb).
    private static func beginsAccessUnit(_ file: [UInt8], _ unit: Range<Int>) -> Bool {
        switch type(file, unit) {
        case 6...9, 14...18: true
        case let type where isPicture(type): unit.count > 1 && file[unit.lowerBound + 1] & 0x80 != 0
        default: false
        }
    }
}
