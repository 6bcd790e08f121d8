// Whoever can forge a source address can send any record under any header. It neither ends an association nor makes it
// say anything, and what the true peer sends afterwards counts as ever: under every OpenSSL that the archive has.

import COpenSSL
import Testing

@testable import WebRTC

@Suite struct DTLSForgeryTests {
    enum Target: CaseIterable { case client, server }

    static let ciphers = EstablishedDTLSTests.suites
    /// Around each border: header alone, alert, handshake header, tag and nonce, alert and Finished under both kinds of keys.
    static let sizes =
        [0, 1, 2, 3, 11, 12, 13, 15, 16, 17, 18, 19] + [23, 24, 25, 26, 27, 39, 40, 41, 47, 48, 49, 200, 1_187]
    static let sequences: [UInt64] = [0, 1, 7, 1 << 48 - 1]

    /// Shown by `make test`, since what is proved here depends on it.
    @Test func theLibraryIsNamed() {
        print("OpenSSL loaded: \(unsafe String(cString: OpenSSL_version(OPENSSL_VERSION)))")
    }

    static func record(
        _ type: UInt8, epoch: UInt16 = 1, sequence: UInt64 = 1, version: UInt16 = 0xFEFD, _ fragment: [UInt8]
    ) -> [UInt8] {
        [type, UInt8(version >> 8), UInt8(version & 0xFF), UInt8(epoch >> 8), UInt8(epoch & 0xFF)]
            + (0..<6).map { UInt8(sequence >> (40 - 8 * UInt64($0)) & 0xFF) }
            + [UInt8(fragment.count >> 8), UInt8(fragment.count & 0xFF)] + fragment
    }

    /// Every content type × epoch × size × sequence number, with fragments that read as what they claim to be.
    static func forgeries(epochs: [UInt16]) -> [[UInt8]] {
        var random = SeededGenerator(seed: 6347)
        var all: [[UInt8]] = []
        for type in UInt8(19)...25 {
            for epoch in epochs {
                for size in sizes {
                    var fragment = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
                    if type == 20, size == 1 { fragment = [1] }
                    if type == 21, size == 2 { fragment = [2, 40] }
                    let sequence = sequences[all.count % sequences.count]
                    all.append(record(type, epoch: epoch, sequence: sequence, fragment))
                }
            }
        }
        all += [[1, 0], [2, 0], [2, 10], [2, 100], [1, 100]].flatMap { alert in
            epochs.map { record(21, epoch: $0, alert) }
        }
        return all
    }

    private struct Pair {
        let network: DTLSNetwork
        let (target, peer): (DTLSTransport, DTLSTransport)

        init(_ target: Target, cipher: String = ciphers[0], fate: @escaping DTLSNetwork.Decision) throws {
            let pair = try DTLSPair()
            network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer(), fate: fate)
            #expect(unsafe SSL_set_cipher_list(network.client.ssl, cipher) == 1)
            self.target = target == .client ? network.client : network.server
            peer = target == .client ? network.server : network.client
        }

        /// The target takes a datagram, and neither changes nor answers.
        func isUnmoved(by datagram: [UInt8]) -> Bool {
            target.receive(datagram, now: network.now)
            return target.material != nil && target.takeDatagrams().isEmpty
        }

        func closesWithThePeer() -> Bool {
            peer.close()
            network.run()
            return target.isClosed
        }
    }

    @Test(arguments: Target.allCases, ciphers)
    func onceConnectedNoRecordOfAStrangerCounts(target: Target, cipher: String) throws {
        let pair = try Pair(target, cipher: cipher) { _, _, _ in .delivered }
        pair.network.run()
        for forged in Self.forgeries(epochs: [0, 1, 2, 0xFFFF]) {
            #expect(pair.isUnmoved(by: forged), "\(forged.prefix(13))")
            // Truncated, and with a length beyond the datagram.
            #expect(pair.isUnmoved(by: forged.dropLast()), "\(forged.prefix(13)), truncated")
            #expect(pair.isUnmoved(by: forged + [0]), "\(forged.prefix(13)), and a byte more")
        }
        for version in [0xFEFF, 0xFEFC, 0x0303, 0x0000] as [UInt16] {
            for size in [18, 26, 40, 48] {
                for type in UInt8(20)...23 {
                    let fragment = [UInt8](repeating: 0, count: size)
                    #expect(pair.isUnmoved(by: Self.record(type, version: version, fragment)))
                }
            }
        }
        #expect(pair.closesWithThePeer(), "the true peer's close_notify still counts")
    }

    @Test(arguments: Target.allCases)
    func severalRecordsInOneDatagramAreJudgedOneByOne(target: Target) throws {
        let forged = Self.forgeries(epochs: [0, 1, 2]).filter { 20...23 ~= $0[0] && $0.count < 80 }
        var random = SeededGenerator(seed: 5764)
        for _ in 0..<20 {
            let pair = try Pair(target) { _, _, _ in .delivered }
            pair.network.run()
            var datagrams: [[UInt8]] = []
            for _ in 0..<30 {
                let datagram = (0..<Int.random(in: 2...8, using: &random)).flatMap { _ in
                    forged[Int.random(in: forged.indices, using: &random)]
                }
                datagrams += [datagram, datagram.dropLast(Int.random(in: 1...40, using: &random))]
            }
            for datagram in datagrams { #expect(pair.isUnmoved(by: datagram)) }
            // What is genuine counts between what is not.
            pair.peer.close()
            let goodbye = try #require(pair.peer.takeDatagrams().first)
            pair.target.receive((datagrams.first ?? []) + goodbye + (datagrams.last ?? []), now: pair.network.now)
            #expect(pair.target.isClosed && pair.target.takeDatagrams().isEmpty)
        }
    }

    /// The client missed our last flight and repeats its own, among forgeries.
    @Test(arguments: ciphers) func theLastFlightIsStillRepeated(cipher: String) throws {
        var isBlocked = true
        let pair = try Pair(.server, cipher: cipher) { _, fromClient, bytes in
            !fromClient && isBlocked && RecordHeader.all(in: bytes).contains { $0.epoch == 1 } ? .lost : .delivered
        }
        pair.network.run(until: .zero + .milliseconds(60))
        #expect(pair.target.material != nil && pair.peer.material == nil)
        for forged in Self.forgeries(epochs: [0, 1, 2]) { #expect(pair.isUnmoved(by: forged)) }
        isBlocked = false
        pair.network.run()
        #expect(pair.peer.material?.localKey == pair.target.material?.remoteKey)
        #expect(pair.closesWithThePeer())
    }

    /// In the server's place a client repeats nothing: the server's Finished needs no answer (RFC 6347 §4.2.4).
    @Test func repeatedFinishedOfTheServerIsNotAnswered() throws {
        var final: [UInt8] = []
        let pair = try Pair(.client) { _, fromClient, bytes in
            if !fromClient, RecordHeader.all(in: bytes).contains(where: { $0.epoch == 1 }) { final = bytes }
            return .delivered
        }
        pair.network.run()
        #expect(!final.isEmpty && pair.isUnmoved(by: final))
    }

    /// Whenever they come during the handshake; apart from handshake messages, which nobody can tell from genuine ones.
    @Test(arguments: Target.allCases, ciphers)
    func duringTheHandshakeTheyDoNotCountEither(target: Target, cipher: String) throws {
        let forged = Self.forgeries(epochs: [0, 1, 2]).filter { record in
            record[0] != 22 || record[4] != 0 || record.count < 13 + 12
        }
        for moment in 0..<6 {
            var pair: Pair?
            let connection = try Pair(target, cipher: cipher) { number, _, _ in
                guard number == moment, let pair else { return .delivered }
                for datagram in forged {
                    pair.target.receive(datagram, now: pair.network.now)
                    pair.target.receive(datagram.dropLast(), now: pair.network.now)
                }
                return .delivered
            }
            pair = connection
            for datagram in forged where moment == 0 { connection.target.receive(datagram, now: .zero) }
            connection.network.run()
            #expect(connection.target.material != nil && connection.peer.material != nil, "at datagram \(moment)")
            #expect(connection.network.now < .zero + .milliseconds(200), "and nothing is slower for it")
            #expect(connection.closesWithThePeer())
        }
    }

    /// Alerts before the keys prove nothing, yet a peer that refuses us should not have to be waited for until the setup
    /// timeout: they are believed when nothing more comes.
    @Test(arguments: [[2, 40], [1, 0], [2, 0]] as [[UInt8]])
    func aPlainAlertIsBelievedWhenThePeerIsSilent(alert: [UInt8]) throws {
        for target in Target.allCases {
            let pair = try Pair(target) { number, _, _ in number < 2 ? .delivered : .lost }
            pair.network.run(until: .zero + .milliseconds(25))
            pair.target.receive(Self.record(21, epoch: 0, alert), now: .zero + .milliseconds(25))
            pair.network.run(until: .zero + .milliseconds(1_020))
            #expect(pair.target.failure == nil)
            pair.network.run(until: .zero + .milliseconds(1_030))
            #expect(pair.target.failure == .handshakeFailed)
        }
    }

    @Test func warningsEndNothing() throws {
        let pair = try Pair(.server) { number, _, _ in number < 2 ? .delivered : .lost }
        pair.network.run(until: .zero + .milliseconds(25))
        pair.target.receive(Self.record(21, epoch: 0, [1, 112]), now: pair.network.now)
        pair.network.run(until: .zero + .milliseconds(5_000))
        #expect(pair.target.failure == nil)
    }
}
