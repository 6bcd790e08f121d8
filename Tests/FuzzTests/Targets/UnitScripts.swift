/// What the fuzzer begins with: a unit's days without an accident.
enum UnitScripts {
    @Sendable static func all() -> [[UInt8]] {
        var scripts: [[UInt8]] = []
        for profile: UInt8 in 0..<3 {
            for variant: UInt8 in [0, 1, 2, 6, 8, 0x10, 0x40, 0x42] {
                scripts += [watching, picture(1) + changes].map { [profile, variant, variant & 7] + $0 }
            }
        }
        for stream: UInt8 in 1..<14 {
            scripts.append([0, 2, 1] + picture(stream) + losses(stream) + feedback + picture(stream) + [drain])
        }
        scripts.append([0, 0, 0] + picture(1) + succession + changes)
        scripts.append([0, 0, 0] + picture(1) + nodes)
        scripts.append([0, 0x80, 0x86] + picture(0) + nodes + succession)
        scripts.append([0, 0, 0] + picture(1) + moves + moves + succession)
        return scripts
    }

    private static func code(_ step: UnitStep) -> UInt8 { step.rawValue }
    private static let drain = code(.drain)

    /// Marker, time goes on, every header extension; a keyframe.
    private static func picture(_ stream: UInt8) -> [UInt8] {
        [code(.packet), 0, stream, 0x3D, code(.packet), 0, stream, 0x1C, code(.packet), 0, stream, 0x9C, drain]
    }

    private static func losses(_ stream: UInt8) -> [UInt8] {
        [code(.burst), 0, 40, 4, stream, 0x9D, 0, 0, 0, 0, 0, 0, drain, code(.time), 40 << 2, code(.time), 9 << 2 | 1]
            // Repaired by the RTX stream.
            + [code(.packet), 0, 3, 0x1C, 2, code(.packet), 0, 4, 0x1C, 1, drain]
    }

    /// NACK, PLI, FIR, sender and receiver reports.
    private static let feedback: [UInt8] =
        [code(.feedback), 1, 0x10, 1, 0xFF, 0xFF, 10] + [code(.feedback), 2, 0x10, 2, 0xF0, 0x0F, 4]
        + [code(.feedback), 1, 0x11, 1] + [code(.feedback), 2, 0x12, 2, 1] + [code(.feedback), 0, 3, 0, 1, 0, 0]
        + [code(.feedback), 1, 0x14, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 3]
        + [code(.time), 5 << 2 | 2, drain]

    private static let watching: [UInt8] =
        picture(0) + picture(1) + losses(1) + feedback + [code(.time), 6 << 2 | 2] + picture(1) + feedback
        + [code(.time), 40 << 2 | 2]

    /// Checks from elsewhere, answered; an ICE restart; candidates.
    private static let moves: [UInt8] =
        [code(.check), 0, 0x89, 1, drain, code(.answer), 0, code(.check), 1, 0x8A, 0, code(.time), 8 << 2 | 2]
        + [code(.answer), 0, code(.command), 4, 0, code(.check), 0, 0x8B, 1, drain, code(.answer), 0]
        + [code(.command), 5, 1, code(.command), 6, 0, code(.time), 20 << 2 | 2]

    /// A node below and one above say what they want and have; a viewer chooses.
    private static let nodes: [UInt8] =
        [
            code(.command), 1, 0, 0x80, code(.feedback), 3, 7, 3, 0xFF, code(.feedback), 3, 7, 3, 0x12, code(.time),
            9 << 2 | 2,
        ]
        + [code(.command), 0, 0, 0x86, code(.feedback), 0, 8, 0, 2, 0x41, 0x30, 4, code(.command), 11, 1, 2, drain]
        + [
            code(.time), 12 << 2 | 2, code(.feedback), 3, 7, 3, 0x05, code(.command), 11, 1, 0, code(.time),
            12 << 2 | 2,
        ]

    /// Another publisher comes, brings a keyframe and takes over; the first one leaves.
    private static let succession: [UInt8] =
        [code(.command), 0, 0, 0x02, code(.packet), 3, 1, 0xBD, drain, code(.packet), 0, 1, 0x9D, drain]
        + [
            code(.time), 10 << 2 | 2, code(.packet), 3, 1, 0xBD, drain, code(.command), 3, 3, 1, code(.time),
            12 << 2 | 2,
        ]

    /// Codecs, viewers who come and go, packets of a local source, the end and the beginning of the broadcast.
    private static let changes: [UInt8] =
        [code(.command), 8, 0, 2, 0, 2, code(.command), 1, 0, 1, code(.command), 1, 0, 2] + picture(5) + picture(6)
        + [code(.command), 9, 0, 2, 13, 0xBD, 12, 0x9D, 0, drain, code(.command), 7, 1, 100] + picture(9)
        + [code(.command), 3, 2, 1, code(.command), 10, 0, code(.command), 11, 0, code(.command), 0, 0, 0]
}
