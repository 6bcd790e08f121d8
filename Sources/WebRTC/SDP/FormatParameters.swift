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

    /// Without the parameter a peer means constrained baseline: RFC 6184 says baseline, nobody encodes its extras.
    init?(profileLevelID text: String?) {
        guard let text else { self = .constrainedBaseline; return }
        guard text.utf8.count == 6, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt32(text, radix: 16)
        else { return nil }
        let (idc, flags) = (UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8))
        // The flags are constraint_set0 … set5 from the top bit on; the two lowest are reserved.
        switch (idc, flags) {
        case (0x42, _) where flags & 0x4F == 0x40: self = .constrainedBaseline
        case (0x4D, _) where flags & 0x8F == 0x80: self = .constrainedBaseline
        case (0x58, _) where flags & 0xCF == 0xC0: self = .constrainedBaseline
        case (0x58, _) where flags & 0xCF == 0x80: self = .baseline
        case (0x64, 0x0C): self = .constrainedHigh
        // Other flags only narrow the profile down.
        case (0x42, _): self = .baseline
        case (0x4D, _): self = .main
        case (0x64, _): self = .high
        case (0xF4, _): self = .highPredictive444
        default: self = .other(idc)
        }
    }

    /// Whether a decoder of this profile plays a stream of that one.
    ///
    /// Baseline counts as constrained baseline: what sets them apart (flexible macroblock order, redundant slices) no
    /// live encoder makes, while FFmpeg labels x264's constrained baseline "42001e".
    func plays(_ stream: H264Profile) -> Bool {
        switch stream {
        case .constrainedBaseline, .baseline:
            switch self {
            case .constrainedBaseline, .baseline, .main, .constrainedHigh, .high, .highPredictive444: true
            case .other: false
            }
        case .main: self == .main || self == .high || self == .highPredictive444
        case .constrainedHigh: self == .constrainedHigh || self == .high || self == .highPredictive444
        case .high: self == .high || self == .highPredictive444
        case .highPredictive444, .other: self == stream
        }
    }
}

extension CodecFormat {
    /// The codec of an rtpmap, if it is one that is forwarded and its parameters make sense.
    init?(encodingName: some StringProtocol, clockRate: UInt32, channels: Int, fmtp: String) {
        let lowercased = encodingName.lowercased()
        guard let name = CodecName.allCases.first(where: { $0.rawValue.lowercased() == lowercased }),
            clockRate == (name == .opus ? 48_000 : 90_000), name == .opus ? 1...2 ~= channels : channels == 1
        else { return nil }
        if name == .h264 {
            let parameters = FormatParameters(fmtp)
            // Interleaved mode 2 (RFC 6184 §6.4) is beyond WebRTC (RFC 7742 §6.2).
            guard H264Profile(profileLevelID: parameters["profile-level-id"]) != nil,
                ["0", "1"].contains(parameters["packetization-mode"] ?? "0")
            else { return nil }
        }
        self.init(name: name, clockRate: clockRate, channels: channels, fmtp: fmtp)
    }

    /// How well a receiver that offers `self` plays `stream`: 0 is exact, more is worse, nil is not at all.
    ///
    /// Levels are not compared: browsers offer 3.1 and play 4K.
    func mismatch(playing stream: CodecFormat) -> Int? {
        guard name == stream.name, clockRate == stream.clockRate else { return nil }
        let (mine, theirs) = (FormatParameters(fmtp), FormatParameters(stream.fmtp))
        switch name {
        case .opus, .vp8: return 0
        case .vp9: return (mine["profile-id"] ?? "0") == (theirs["profile-id"] ?? "0") ? 0 : nil
        case .av1: return (mine["profile"] ?? "0") == (theirs["profile"] ?? "0") ? 0 : nil
        case .h264:
            guard let decoder = H264Profile(profileLevelID: mine["profile-level-id"]),
                let encoded = H264Profile(profileLevelID: theirs["profile-level-id"]), decoder.plays(encoded)
            else { return nil }
            // Single NAL units (mode 0) are allowed in mode 1, not the other way round (RFC 6184 §6.2, §6.3).
            let (mode, wanted) = (mine["packetization-mode"] ?? "0", theirs["packetization-mode"] ?? "0")
            guard mode == wanted || mode == "1" else { return nil }
            return (decoder == encoded ? 0 : 1) + (mode == wanted ? 0 : 2)
        }
    }

    /// Whether a receiver of `self` can go on with `other` without negotiating again: same codec, profile and mode.
    package func isSameStream(as other: CodecFormat) -> Bool {
        channels == other.channels && mismatch(playing: other) == 0
    }

    /// "H264 (packetization-mode=1;profile-level-id=42e01f)", for messages to people.
    var label: String { fmtp.isEmpty || name == .opus ? name.rawValue : "\(name.rawValue) (\(fmtp.prefix(120)))" }
}
