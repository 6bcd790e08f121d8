@testable import WebRTC

extension FuzzTarget {
    static var transports: [FuzzTarget] { [stun, dtlsRecords, dtlsFlights, dtlsHandshake] }

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

    /// What of an association is ours to decide, without OpenSSL: which records it gets, and when a flight is repeated.
    private static let dtlsFlights = FuzzTarget(
        name: "dtls-flights", maximumLength: 400,
        seeds: {
            let hello = dtlsRecord(22, epoch: 0, length: 20)
            let finished = dtlsRecord(22, epoch: 1, length: 48)
            let alert = dtlsRecord(21, epoch: 0, length: 2)
            let piece = { (step: FlightStep, bytes: [UInt8]) in [step.rawValue, UInt8(bytes.count)] + bytes }
            let wait: [UInt8] = [
                FlightStep.time.rawValue, 60, FlightStep.time.rawValue, 120, FlightStep.time.rawValue, 250,
            ]
            return (UInt8(0)..<4).map { role in
                [role, 0] + piece(.datagram, hello) + [FlightStep.phase.rawValue, 1] + piece(.flight, hello + hello)
                    + wait
                    + wait + piece(.datagram, alert) + wait + piece(.datagram, hello) + piece(.flight, hello) + wait
                    + [FlightStep.phase.rawValue, 2] + piece(.datagram, finished + alert) + wait
            }
        }
    ) {
        { bytes in
            var input = FuzzInput(bytes)
            var association = FlightAssociation(&input)
            while !input.isAtEnd { association.step(&input) }
        }
    }

    private static func dtlsRecord(_ content: UInt8, epoch: UInt8, length: UInt8) -> [UInt8] {
        [content, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 1, 0, length] + [UInt8](repeating: 2, count: Int(length))
    }

    /// An association of each role that gets datagrams, each with its length before it, and time. OpenSSL's part of the time
    /// is most of it: what is ours runs alone in `dtls-records` and `dtls-flights`.
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

/// One step of `dtls-flights`: this byte, then what the step reads.
private enum FlightStep: UInt8, CaseIterable {
    case datagram, flight, time, phase
}

/// A `DTLSTransport` whose handshake goes as the input says.
private struct FlightAssociation {
    private let filter: DTLSRecordFilter
    private var retransmission: DTLSRetransmission
    private let overhead: Int?
    private var phase = DTLSRecordFilter.Phase.idle
    private var now = Instant.zero
    /// Repeats that an address without proof may have got by now.
    private var most: Int?

    init(_ input: inout FuzzInput) {
        let role = input.byte()
        let (isClient, isProven) = (role & 1 == 1, role & 2 == 2)
        filter = DTLSRecordFilter(isClient: isClient)
        retransmission = DTLSRetransmission(isClient: isClient, isProven: isProven)
        overhead = input.choose([24, 16, nil])
        // A client's second flight goes to who has signed the answer to the first.
        most = isProven || isClient ? nil : DTLSRetransmission.firstAllowance.server
    }

    mutating func step(_ input: inout FuzzInput) {
        switch input.choose(FlightStep.allCases) {
        case .datagram: receive(DTLSRecord.all(in: input.take(Int(input.byte()))[...]))
        case .flight:
            let records = DTLSRecord.all(in: input.take(Int(input.byte()))[...])
            let repeats = records.indices.map { DTLSRecord.datagrams(of: Array(records[$0...]), mtu: 100) }
            retransmission.sent(repeats: repeats, now: now)
        case .time:
            now = now + .milliseconds(Int64(input.byte()))
            advance()
        case .phase:
            phase = input.choose(DTLSRecordFilter.Phase.allCases)
            if phase == .over || phase == .connected { retransmission.end() }
        }
    }

    private mutating func receive(_ records: [DTLSRecord]) {
        let wanted = records.filter { filter.isWanted($0, in: phase, overhead: overhead) }
        precondition(wanted.isEmpty || phase != .over, "who has ended wants nothing")
        precondition(wanted.allSatisfy { $0.content != .applicationData }, "application data is for nobody")
        if !wanted.isEmpty {
            most? += 1
            retransmission.heard(now: now)
        } else if records.contains(where: \.endsInPlain) {
            retransmission.refused(now: now)
        }
    }

    private mutating func advance() {
        while retransmission.nextDeadline <= now {
            switch retransmission.advance(now: now) {
            case .wait: break
            case .send: most? -= 1
            case .giveUp:
                retransmission.end()
                phase = .over
            }
            precondition(most ?? 0 >= 0, "an address that may be forged gets few repeats")
        }
    }
}
