@testable import WebRTC

extension FuzzTarget {
    static var transports: [FuzzTarget] { [stun, dtlsRecords, dtlsHandshake] }

    private static let stun = FuzzTarget(name: "stun", maximumLength: 600, seeds: stunSeeds) {
        let key = Array("password".utf8)
        return { bytes in
            let span = unsafe bytes.span.bytes
            guard let message = STUNMessage.parse(span) else { return }
            _ = message.localUfragKey(in: span)
            _ = message.verifyIntegrity(key: key, in: span)
            _ = message.unknownAttributes(in: span)
            _ = message.mappedAddress?.description
        }
    }

    @Sendable private static func stunSeeds() -> [[UInt8]] {
        let id = STUNMessage.TransactionID(high: 1, low: 2)
        var request = STUNWriter(.request, transactionID: id)
        request.addUsername(Array("AAAAAAAA:BBBB".utf8))
        request.addPriority(1)
        request.addControlling(tieBreaker: 7)
        request.addUseCandidate()
        request.add(0x0019, [1, 2, 3])
        var answer = STUNWriter(.success, transactionID: id)
        answer.addMappedAddress(TransportAddress(ipv4: 0xC000_0201, port: 9))
        var longAnswer = STUNWriter(.success, transactionID: id)
        longAnswer.addMappedAddress(TransportAddress(ipv6High: 0x2001_0DB8 << 32, low: 1, port: 9))
        var refusal = STUNWriter(.error, transactionID: id)
        refusal.addError(420, reason: "Unknown Attribute")
        refusal.addUnknownAttributes([0x0019, 0x0030])
        let key = Array("password".utf8)
        return [
            request.finish(key: key), answer.finish(key: key), longAnswer.finish(key: nil), refusal.finish(key: key),
        ]
    }

    private static let dtlsRecords = FuzzTarget(name: "dtls-records", seeds: dtlsSeeds) {
        { bytes in
            // A part of something longer, so that indices do not begin with 0.
            let padded = [0, 0, 0] + bytes
            let records = DTLSRecord.all(in: padded[3...])
            for record in records { _ = (record.endsInPlain, record.fragment.count) }
            precondition(
                DTLSRecord.datagrams(of: records, mtu: 300).joined().elementsEqual(records.flatMap(\.bytes)),
                "records are packed whole and in order")
            _ = unsafe DatagramClass.classify(bytes.span.bytes)
        }
    }

    /// An association of each role that gets datagrams, each with its length before it, and time.
    private static let dtlsHandshake = FuzzTarget(
        name: "dtls-handshake", maximumLength: 2_000, mutations: 1_000,
        seeds: { dtlsSeeds().map { [0] + framed($0) } + dtlsSeeds().map { [1] + framed($0) + framed($0) } }
    ) {
        let identity = try DTLSIdentity.generate()
        let context = try DTLSContext(identity: identity)
        return { bytes in
            var input = FuzzInput(bytes)
            let transport = DTLSTransport(
                context: context, isClient: input.byte() & 1 == 1, remoteFingerprints: [identity.fingerprint])
            var now = Instant.zero
            transport.start(now: now)
            while !input.isAtEnd {
                let length = Int(input.number(UInt16.self) & 0x7FF)
                let datagram = input.take(length)
                now = now + .milliseconds(Int64(length & 0xFF))
                unsafe transport.receive(datagram.span.bytes, now: now)
                transport.advance(now: now)
                _ = transport.takeDatagrams()
            }
            transport.close()
            _ = transport.takeDatagrams()
        }
    }

    private static func framed(_ datagram: [UInt8]) -> [UInt8] {
        [UInt8(datagram.count >> 8), UInt8(truncatingIfNeeded: datagram.count)] + datagram
    }

    /// A real first flight, and a record of each type.
    @Sendable private static func dtlsSeeds() -> [[UInt8]] {
        guard let identity = try? DTLSIdentity.generate(), let context = try? DTLSContext(identity: identity)
        else { return [] }
        let (client, server) = (
            DTLSTransport(context: context, isClient: true, remoteFingerprints: [identity.fingerprint]),
            DTLSTransport(context: context, isClient: false, remoteFingerprints: [identity.fingerprint])
        )
        client.start(now: .zero)
        let hello = client.takeDatagrams()
        for datagram in hello { unsafe server.receive(datagram.span.bytes, now: .zero) }
        let records = (20...23).map { [UInt8($0), 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40] }
        return hello + server.takeDatagrams() + records
    }
}
