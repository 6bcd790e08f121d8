/// Anchors and aliases (YAML 1.2 §3.2.2.2), counted in a text before a tree is made of it. Each alias stands for a whole tree
/// that may hold others: 340 bytes are enough for a mapping whose keys take Yams years to compare, and a chain of 100,000
/// for a tree that cannot be given back without running out of stack.
enum YAMLAliases {
    /// How many there may be: of `*` where a word may begin, those in comments and quotes included. 0 without any anchor.
    static func count(in text: String) -> Int {
        var (anchors, aliases) = (0, 0)
        var before = UInt8(ascii: "\n")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&") where mayBegin(after: before): anchors += 1
            case UInt8(ascii: "*") where mayBegin(after: before): aliases += 1
            default: break
            }
            before = byte
        }
        return anchors == 0 ? 0 : aliases
    }

    /// Behind blanks, breaks and indicators. The last bytes of NEL, LS, PS and the byte order mark stand for them.
    private static func mayBegin(after byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x85, 0xA8, 0xA9, 0xBF: true
        case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "?"): true
        default: false
        }
    }
}
