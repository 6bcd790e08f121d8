/// The parameters of an `a=fmtp` line: `key=value` pairs between semicolons, keys without regard to case.
struct FormatParameters {
    private var pairs: [(key: String, value: String)] = []

    init(_ text: String) {
        for part in text.split(separator: ";") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = halves.first?.trimmed.lowercased(), !key.isEmpty else { continue }
            pairs.append((key, halves.count == 2 ? halves[1].trimmed : ""))
        }
    }

    subscript(_ key: String) -> String? { pairs.first { $0.key == key }?.value }
}

/// H.264 profiles as the first two bytes of `profile-level-id` name them (RFC 6184 §8.1, table 5).
enum H264Profile: Hashable {
    case constrainedBaseline, baseline, main, constrainedHigh, high, highPredictive444
    /// A profile_idc that the table does not have.
    case other(UInt8)
    /// The parameter makes no sense.
    case unknown

    /// Without the parameter a peer means constrained baseline: RFC 6184 says baseline, nobody encodes its extras.
    init(profileLevelID text: String?) {
        guard let text else { self = .constrainedBaseline; return }
        guard text.utf8.count == 6, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt32(text, radix: 16)
        else { self = .unknown; return }
        let (idc, flags) = (UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8))
        // The flags are constraint_set0 … set5 from the top bit on; the two lowest are reserved.
        switch (idc, flags) {
        case (0x42, _) where flags & 0x4F == 0x40: self = .constrainedBaseline
        case (0x4D, _) where flags & 0x8F == 0x80: self = .constrainedBaseline
        case (0x58, _) where flags & 0xCF == 0xC0: self = .constrainedBaseline
        case (0x58, _) where flags & 0xCF == 0x80: self = .baseline
        case (0x64, _) where flags & 0x0C == 0x0C: self = .constrainedHigh
        // Other flags only narrow the profile down.
        case (0x42, _): self = .baseline
        case (0x4D, _): self = .main
        case (0x64, _): self = .high
        case (0xF4, _): self = .highPredictive444
        default: self = .other(idc)
        }
    }

    /// How well a decoder of this profile plays a stream of that one: 0 is the same profile, nil is not at all.
    ///
    /// Baseline counts as constrained baseline: what sets them apart (flexible macroblock order, redundant slices) no
    /// live encoder makes, while FFmpeg labels x264's constrained baseline "42001e". For the same reason main and high
    /// count as constrained high: nobody sends B-frames or fields over WebRTC.
    func mismatch(playing stream: H264Profile) -> Int? {
        if self == stream, self != .unknown { return Mismatch.none }
        switch (self, stream) {
        case (.unknown, _), (_, .unknown): return Mismatch.profileByName
        case (_, .constrainedBaseline) where is8Bit420, (_, .baseline) where is8Bit420: return Mismatch.includes
        case (.high, .main), (.high, .constrainedHigh): return Mismatch.includes
        case (.highPredictive444, _) where stream.is8Bit420: return Mismatch.includes
        case (.constrainedHigh, .main), (.constrainedHigh, .high): return Mismatch.asEncoded
        default: return is8Bit420 && stream.is8Bit420 ? Mismatch.profileByName : nil
        }
    }

    /// What decoders in use have the tools for, whatever profile they name (docs/decisions/0015-h264-by-name.md).
    private var is8Bit420: Bool {
        switch self {
        case .constrainedBaseline, .baseline, .main, .constrainedHigh, .high: true
        case .highPredictive444, .other, .unknown: false
        }
    }
}

/// How far a receiver's format is from a stream's, as numbers that add up; the smallest sum is taken.
private enum Mismatch {
    static let none = 0
    /// The receiver's profile includes the stream's.
    static let includes = 1
    /// It does as far as live encoders use the stream's profile.
    static let asEncoded = 2
    /// A receiver of H.264's mode 1 gets mode 0: allowed (RFC 6184 §6.2, §6.3).
    static let simplerMode = 4
    /// The other way round: not allowed, but most depacketizers take both. Better than no picture.
    static let modeByName = 8
    /// The receiver names another profile or none, and may play the stream all the same. The last choice.
    static let profileByName = 16
}

extension CodecFormat {
    /// The codec of an rtpmap, if it is one that is forwarded and its parameters make sense.
    init?(encodingName: some StringProtocol, clockRate: UInt32, channels: Int, fmtp: String) {
        let lowercased = encodingName.lowercased()
        guard let name = CodecName.allCases.first(where: { $0.rawValue.lowercased() == lowercased }),
            clockRate == (name == .opus ? 48_000 : 90_000), name == .opus ? 1...2 ~= channels : channels == 1,
            fmtp.utf8.count <= Self.longestParameters
        else { return nil }
        if name == .h264 {
            let parameters = FormatParameters(fmtp)
            // Interleaved mode 2 (RFC 6184 §6.4) is beyond WebRTC (RFC 7742 §6.2).
            guard parameters["packetization-mode"] != "2" else { return nil }
        }
        // Opus always has two (RFC 7587 §7), also for those who write "opus/48000".
        self.init(name: name, clockRate: clockRate, channels: name == .opus ? 2 : 1, fmtp: fmtp)
    }

    /// How well a receiver that offers `self` plays `stream`: 0 is exact, more is worse, nil is not at all.
    ///
    /// Who names another profile than he plays, or none, gets the codec by its name: nil is only for what would surely be
    /// black. Levels are not compared: browsers offer 3.1 and play 4K.
    func mismatch(playing stream: CodecFormat) -> Int? {
        guard name == stream.name, clockRate == stream.clockRate else { return nil }
        let (mine, theirs) = (FormatParameters(fmtp), FormatParameters(stream.fmtp))
        switch name {
        case .opus, .vp8: return 0
        case .vp9: return profileMismatch(mine["profile-id"], playing: theirs["profile-id"])
        case .av1: return profileMismatch(mine["profile"], playing: theirs["profile"])
        case .h264:
            let named = mine["profile-level-id"]
            let encoded = H264Profile(profileLevelID: theirs["profile-level-id"])
            let profile = H264Profile(profileLevelID: named).mismatch(playing: encoded)
            guard let profile = profile ?? (named == nil ? Mismatch.profileByName : nil) else { return nil }
            switch (mine["packetization-mode"] == "1", theirs["packetization-mode"] == "1") {
            case (true, true), (false, false): return profile
            case (true, false): return profile + Mismatch.simplerMode
            case (false, true): return profile + Mismatch.modeByName
            }
        }
    }

    /// The same for the numbered profiles of VP9 and AV1, where none means 0. Profile 0 is in all others, AV1's include
    /// each other (AV1 specification, annex A.2), of VP9's only the last includes all (10 bit and 4:4:4).
    private func profileMismatch(_ mine: String?, playing theirs: String?) -> Int? {
        let (decoder, encoded) = (Int(mine ?? "0"), Int(theirs ?? "0"))
        if let decoder, decoder == encoded { return Mismatch.none }
        guard let decoder, let encoded, mine != nil else { return Mismatch.profileByName }
        let includes = encoded == 0 || (name == .av1 ? decoder > encoded : decoder == 3)
        return includes ? Mismatch.includes : nil
    }

    /// Whether a receiver of `self` can go on with `other` without negotiating again: same codec, profile and mode.
    package func isSameStream(as other: CodecFormat) -> Bool { mismatch(playing: other) == 0 }

    /// "H264 (packetization-mode=1;profile-level-id=42e01f)", for messages to people.
    var label: String { fmtp.isEmpty || name == .opus ? name.rawValue : "\(name.rawValue) (\(fmtp.prefix(120)))" }
}
