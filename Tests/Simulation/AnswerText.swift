// An answer read for itself, by the lines that a peer looks for, without the server's own reader of SDP.
import WebRTC

struct AnswerText {
    struct Section {
        var kind: String
        var port: Int
        var formats: [UInt8]
        var lines: [String]

        var isAccepted: Bool { port != 0 }
        var mid: String { value("mid") ?? "" }

        func values(_ name: String) -> [String] {
            lines.filter { $0.hasPrefix("a=\(name):") }.map { String($0.dropFirst(name.count + 3)) }
        }
        func value(_ name: String) -> String? { values(name).first }
        func has(_ name: String) -> Bool { lines.contains("a=\(name)") || value(name) != nil }

        /// Header extensions by what they are, and their ids.
        var extensions: [String: Int] {
            var map: [String: Int] = [:]
            for value in values("extmap") {
                let parts = value.split(separator: " ")
                map[String(parts[1])] = Int(parts[0].prefix { $0 != "/" })
            }
            return map
        }

        func feedback(_ type: UInt8) -> [String] {
            values("rtcp-fb").filter { $0.hasPrefix("\(type) ") }.map { String($0.dropFirst("\(type) ".count)) }
        }

        /// The payload type with `apt` of another.
        func rtx(of type: UInt8) -> UInt8? {
            values("fmtp").first { line in
                line.split(separator: " ").dropFirst().joined().split(separator: ";").contains("apt=\(type)")
            }.flatMap { UInt8($0.prefix { $0 != " " }) }
        }

        func codec(_ type: UInt8) -> String? {
            values("rtpmap").first { $0.hasPrefix("\(type) ") }.map { line in
                line.drop { $0 != " " }.dropFirst().prefix { $0 != "/" }.lowercased()
            }
        }

        /// Names of the simulcast streams that it will receive.
        var simulcast: [String] {
            guard let value = value("simulcast"), value.hasPrefix("recv ") else { return [] }
            return value.dropFirst(5).split(separator: ";").map(String.init)
        }

        /// Of the stream that it announces: its SSRC, and its repair stream's.
        var ssrcs: (media: UInt32, rtx: UInt32?)? {
            if let pair = value("ssrc-group"), pair.hasPrefix("FID ") {
                let numbers = pair.split(separator: " ").dropFirst().compactMap { UInt32($0) }
                return (numbers[0], numbers[1])
            }
            return value("ssrc").flatMap { UInt32($0.prefix { $0 != " " }) }.map { ($0, nil) }
        }
    }

    var session: [String] = []
    var sections: [Section] = []

    init(_ text: String) {
        for line in text.split(separator: "\r\n").map(String.init) {
            if line.hasPrefix("m=") {
                let parts = line.dropFirst(2).split(separator: " ")
                sections.append(
                    Section(
                        kind: String(parts[0]), port: Int(parts[1]) ?? -1,
                        formats: parts[3...].compactMap { UInt8($0) },
                        lines: []))
            } else if sections.isEmpty {
                session.append(line)
            } else {
                sections[sections.count - 1].lines.append(line)
            }
        }
    }

    /// Where the transport is: the first of the bundle, else the only one accepted (RFC 9143 §7.3.1).
    var tagged: Section? {
        let group = session.first { $0.hasPrefix("a=group:BUNDLE ") }?.split(separator: " ").dropFirst() ?? []
        return sections.first { !group.isEmpty && $0.mid == group.first! } ?? sections.first { $0.isAccepted }
    }
}
