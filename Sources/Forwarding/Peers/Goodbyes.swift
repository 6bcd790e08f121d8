import WebRTC

/// Last datagrams of closed sessions, until the outbox has room for them: a broadcast's viewers end all at once, and are
/// more than it holds. Whatever the order in which sessions were closed, nodes below are told first, since each tells many
/// others.
struct Goodbyes {
    private struct Datagram {
        var bytes: [UInt8]
        var destination: TransportAddress
    }

    private var urgent: [Datagram] = []
    private var others: [Datagram] = []
    /// How many of them have left.
    private var (sentUrgent, sentOthers) = (0, 0)

    mutating func add(_ datagrams: [[UInt8]], to destination: TransportAddress, first isUrgent: Bool) {
        for bytes in datagrams {
            let datagram = Datagram(bytes: bytes, destination: destination)
            if isUrgent { urgent.append(datagram) } else { others.append(datagram) }
        }
    }

    /// false: no room is left, and not all have found some.
    mutating func move(to outbox: Outbox) -> Bool {
        Self.move(&urgent, from: &sentUrgent, to: outbox) && Self.move(&others, from: &sentOthers, to: outbox)
    }

    private static func move(_ datagrams: inout [Datagram], from next: inout Int, to outbox: Outbox) -> Bool {
        while next < datagrams.count {
            guard outbox.isEmpty || outbox.hasRoom(for: 1) else { return false }
            outbox.append(datagrams[next].bytes, to: datagrams[next].destination)
            next += 1
        }
        if !datagrams.isEmpty { (datagrams, next) = ([], 0) }
        return true
    }
}
