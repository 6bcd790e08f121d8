// A handshake ends with the same keys on both sides, under the profile the server prefers, and only with the peer whose
// certificate the SDP announced.

import COpenSSL
import Testing

@testable import WebRTC

@Suite struct DTLSHandshakeTests {
    @Test func bothSidesExportTheSameKeys() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        let client = try #require(network.client.material)
        let server = try #require(network.server.material)
        #expect(client.profile == .aeadAES128GCM)
        #expect(server.profile == .aeadAES128GCM)
        #expect(client.localKey == server.remoteKey && client.localSalt == server.remoteSalt)
        #expect(client.remoteKey == server.localKey && client.remoteSalt == server.localSalt)
        #expect(client.localKey != client.remoteKey)
        #expect(client.localKey.count == 16 && client.localSalt.count == 12)
        // Two round trips of 20 ms, nothing repeated on the way.
        #expect(network.now <= .zero + .milliseconds(40))
        #expect(network.client.nextDeadline == .distantFuture && network.server.nextDeadline == .distantFuture)
        for (_, _, bytes) in network.sent { #expect(bytes.count <= 1_200) }
    }

    @Test func twoHandshakesShareNothing() throws {
        let pair = try DTLSPair()
        let first = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        let second = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        first.run()
        second.run()
        let (one, other) = (try #require(first.client.material), try #require(second.client.material))
        #expect(one.localKey != other.localKey)
    }

    @Test(arguments: [
        (SRTPProfile.allCases, SRTPProfile.allCases, SRTPProfile.aeadAES128GCM),
        // What a browser offers: the server's preference counts, not the order of the offer.
        ([.aes128CMHMACSHA1_80, .aeadAES256GCM, .aeadAES128GCM], SRTPProfile.allCases, .aeadAES128GCM),
        ([.aes128CMHMACSHA1_80, .aeadAES256GCM], SRTPProfile.allCases, .aeadAES256GCM),
        ([.aes128CMHMACSHA1_80], SRTPProfile.allCases, .aes128CMHMACSHA1_80),
    ])
    func serverChoosesTheProfile(offered: [SRTPProfile], accepted: [SRTPProfile], chosen: SRTPProfile) throws {
        let pair = try DTLSPair(clientProfiles: offered, serverProfiles: accepted)
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        let client = try #require(network.client.material)
        let server = try #require(network.server.material)
        #expect(client.profile == chosen && server.profile == chosen)
        #expect(client.localKey.count == chosen.keyLength && client.localSalt.count == chosen.saltLength)
        #expect(client.localKey == server.remoteKey && client.remoteSalt == server.localSalt)
    }

    @Test func noCommonProfileIsAFailure() throws {
        let pair = try DTLSPair(clientProfiles: [.aes128CMHMACSHA1_80], serverProfiles: [.aeadAES128GCM])
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        #expect(network.client.failure == .handshakeFailed)
        #expect(network.server.failure == .handshakeFailed)
    }

    @Test(arguments: [
        (DTLSIdentity.KeyKind.rsa2048, DTLSIdentity.KeyKind.p256), (.p256, .rsa2048), (.rsa2048, .rsa2048),
    ])
    func rsaCertificatesAreTaken(client: DTLSIdentity.KeyKind, server: DTLSIdentity.KeyKind) throws {
        let pair = try DTLSPair(client: client, server: server)
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        #expect(network.client.material != nil && network.server.material != nil)
    }

    @Test func serverRefusesAForeignCertificate() throws {
        let pair = try DTLSPair()
        let other = try DTLSIdentity.generate().fingerprint
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer(expecting: [other]))
        network.run()
        #expect(network.server.failure == .fingerprintMismatch)
        #expect(network.client.failure == .handshakeFailed, "the server's alert is believed when nothing follows")
        #expect(network.now < .zero + .milliseconds(1_100))
    }

    @Test func clientRefusesAForeignCertificate() throws {
        let pair = try DTLSPair()
        let other = try DTLSIdentity.generate().fingerprint
        let network = DTLSNetwork(client: pair.makeClient(expecting: [other]), server: pair.makeServer())
        network.run()
        #expect(network.client.failure == .fingerprintMismatch)
        #expect(network.server.failure == .handshakeFailed)
    }

    @Test(arguments: [Fingerprint.Algorithm.sha256, .sha384, .sha512])
    func fingerprintsOfEveryAlgorithmAreChecked(algorithm: Fingerprint.Algorithm) throws {
        let pair = try DTLSPair()
        var right = try #require(pair.serverIdentity.fingerprint(algorithm))
        let good = DTLSNetwork(client: pair.makeClient(expecting: [right]), server: pair.makeServer())
        good.run()
        #expect(good.client.material != nil)

        right.bytes[right.bytes.count - 1] ^= 1
        let bad = DTLSNetwork(client: pair.makeClient(expecting: [right]), server: pair.makeServer())
        bad.run()
        #expect(bad.client.failure == .fingerprintMismatch)

        // A prefix of the hash is not the hash.
        right.bytes = []
        let empty = DTLSNetwork(client: pair.makeClient(expecting: [right]), server: pair.makeServer())
        empty.run()
        #expect(empty.client.failure == .fingerprintMismatch)
    }

    /// RFC 8122 §5.1: a peer with several certificates names them all and uses one.
    @Test func anyOfSeveralFingerprintsMayMatch() throws {
        let pair = try DTLSPair()
        let other = try DTLSIdentity.generate().fingerprint
        let right = [other, pair.serverIdentity.fingerprint]
        let good = DTLSNetwork(client: pair.makeClient(expecting: right), server: pair.makeServer())
        good.run()
        #expect(good.client.material != nil)
        for wrong in [[other, other], []] {
            let bad = DTLSNetwork(client: pair.makeClient(expecting: wrong), server: pair.makeServer())
            bad.run()
            #expect(bad.client.failure == .fingerprintMismatch)
        }
    }

    @Test func identityIsWellFormed() throws {
        let (first, second) = (try DTLSIdentity.generate(), try DTLSIdentity.generate())
        #expect(first.fingerprint.algorithm == .sha256 && first.fingerprint.bytes.count == 32)
        #expect(first.fingerprint != second.fingerprint)
        #expect(first.certificate.count < 600, "the server's flight is to fit one datagram")
        #expect(throws: DTLSError.self) {
            try DTLSContext(
                identity: DTLSIdentity(
                    certificate: first.certificate, privateKey: second.privateKey, fingerprint: first.fingerprint))
        }
        #expect(throws: DTLSError.self) {
            try DTLSContext(
                identity: DTLSIdentity(certificate: [1, 2], privateKey: [], fingerprint: first.fingerprint))
        }
    }

    @Test func closeReachesThePeer() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        network.client.close()
        #expect(network.client.isClosed)
        network.run()
        #expect(network.server.isClosed)
        network.server.close()
        #expect(network.server.takeDatagrams().isEmpty)
        #expect(!network.server.receive([22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0], now: network.now))
    }

    @Test func closingBeforeTheEndStopsEverything() throws {
        let pair = try DTLSPair()
        let client = pair.makeClient()
        client.start(now: .zero)
        client.close()
        #expect(client.isClosed && client.nextDeadline == .distantFuture)
    }

    /// Once connected there is nothing left that could renegotiate: a ClientHello under the keys is no Finished.
    @Test func renegotiationIsNotHeard() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        #expect(unsafe network.client.ssl == nil && network.server.ssl == nil, "OpenSSL's part is over")
        for length in [DTLSRecord.finishedLength, 200] {
            let hello = [1] + [UInt8](repeating: 0, count: length - 1)
            let record = try #require(network.client.seal(.handshake, hello))
            network.server.receive(Array(record.bytes), now: network.now)
        }
        #expect(network.server.material != nil && network.server.takeDatagrams().isEmpty)
    }

    @Test func applicationDataIsDiscarded() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        for length in [0, 2, 24, 1_000] {
            let record = try #require(network.client.seal(.applicationData, [UInt8](repeating: 7, count: length)))
            #expect(!network.server.receive(Array(record.bytes), now: network.now))
        }
        #expect(network.server.material != nil && network.server.takeDatagrams().isEmpty)
    }
}

extension DTLSIdentity {
    fileprivate func fingerprint(_ algorithm: Fingerprint.Algorithm) -> Fingerprint? {
        let parsed = unsafe certificate.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return unsafe d2i_X509(nil, &start, bytes.count)
        }
        guard let parsed = unsafe parsed else { return nil }
        defer { unsafe X509_free(parsed) }
        return unsafe Fingerprint(algorithm, of: parsed)
    }
}
