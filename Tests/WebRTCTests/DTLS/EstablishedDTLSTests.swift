// What goes on after the handshake, against a peer that still has OpenSSL's association: our records are what it
// expects, and we understand its own.

import COpenSSL
import Testing

@testable import WebRTC

@Suite struct EstablishedDTLSTests {
    static let suites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
    ]

    @Test(arguments: suites, [true, false]) func openSSLUnderstandsOurGoodbyeAndWeItsOwn(suite: String, isClient: Bool)
        throws
    {
        for isOurs in [true, false] {
            let (ours, theirs) = try connect(suite, weAreClient: isClient)
            if isOurs {
                ours.close()
                theirs.take(ours.takeDatagrams())
                #expect(theirs.hasHeardGoodbye)
            } else {
                for datagram in theirs.sayGoodbye() { ours.receive(datagram, now: .zero) }
                #expect(ours.isClosed && ours.takeDatagrams().isEmpty)
            }
        }
    }

    @Test func aReplayedFinishedIsNotAnswered() throws {
        let pair = try DTLSPair()
        var lastOfClient: [UInt8] = []
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { _, fromClient, bytes in
            if fromClient { lastOfClient = bytes }
            return .delivered
        }
        network.run()
        #expect(RecordHeader.all(in: lastOfClient).contains { $0.epoch == 1 })
        network.server.receive(lastOfClient, now: network.now)
        #expect(network.server.takeDatagrams().isEmpty)
        // A new one is, but not without end.
        var flights = 0
        for _ in 0..<30 {
            let finished = try #require(
                network.client.seal(.handshake, [20] + [UInt8](repeating: 0, count: DTLSRecord.finishedLength - 1)))
            network.server.receive(Array(finished.bytes), now: network.now)
            if !network.server.takeDatagrams().isEmpty { flights += 1 }
        }
        #expect(flights == EstablishedDTLS.repeats)
    }

    @Test(arguments: [[1, 90], [1, 100], [0, 10]] as [[UInt8]]) func warningsEndNothing(alert: [UInt8]) throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        let record = try #require(network.client.seal(.alert, alert))
        network.server.receive(Array(record.bytes), now: network.now)
        #expect(network.server.material != nil)
        let fatal = try #require(network.client.seal(.alert, [2, 40]))
        network.server.receive(Array(fatal.bytes), now: network.now)
        #expect(network.server.isClosed)
    }

    private func connect(_ suite: String, weAreClient: Bool) throws -> (DTLSTransport, OpenSSLPeer) {
        let pair = try DTLSPair()
        let ours = weAreClient ? pair.makeClient() : pair.makeServer()
        let context = weAreClient ? pair.serverContext : pair.clientContext
        let theirs = OpenSSLPeer(context, isClient: !weAreClient, suite: suite)
        if weAreClient {
            #expect(unsafe SSL_set_cipher_list(ours.ssl, suite) == 1)
            ours.start(now: .zero)
        }
        for _ in 0..<10 where ours.material == nil || !theirs.isDone {
            theirs.take(ours.takeDatagrams())
            for datagram in theirs.step() { ours.receive(datagram, now: .zero) }
        }
        #expect(ours.material != nil && theirs.isDone)
        return (ours, theirs)
    }
}

/// A whole association of OpenSSL's, datagrams in and out, over a network that loses nothing.
@safe private final class OpenSSLPeer {
    private let ssl: OpaquePointer
    private let (input, output): (OpaquePointer, OpaquePointer)
    private(set) var isDone = false

    init(_ context: DTLSContext, isClient: Bool, suite: String) {
        unsafe ssl = SSL_new(context.context)
        unsafe (input, output) = (BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(ssl, input, output)
        unsafe _ = shim_ssl_set_mtu(ssl, 1_200)
        unsafe _ = SSL_set_cipher_list(ssl, suite)
        // Any certificate: whom it trusts is not the matter.
        unsafe SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
        unsafe DTLS_set_timer_cb(ssl) { _, _ in .max }
        unsafe isClient ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl)
    }

    deinit { unsafe SSL_free(ssl) }

    /// Goes on with the handshake and returns what it has to say.
    func step() -> [[UInt8]] {
        if !isDone { isDone = unsafe SSL_do_handshake(ssl) == 1 }
        return takeDatagrams()
    }

    func take(_ datagrams: [[UInt8]]) {
        for datagram in datagrams {
            unsafe _ = BIO_write(input, datagram, Int32(datagram.count))
            if !isDone { isDone = unsafe SSL_do_handshake(ssl) == 1 }
            var byte: UInt8 = 0
            if isDone { unsafe _ = SSL_read(ssl, &byte, 1) }
        }
    }

    var hasHeardGoodbye: Bool { unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }

    func sayGoodbye() -> [[UInt8]] {
        unsafe _ = SSL_shutdown(ssl)
        return takeDatagrams()
    }

    private func takeDatagrams() -> [[UInt8]] {
        let pending = unsafe BIO_ctrl_pending(output)
        guard pending > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: pending)
        unsafe _ = BIO_read(output, &bytes, Int32(pending))
        return DTLSRecord.datagrams(of: DTLSRecord.all(in: bytes[...]), mtu: 1_200)
    }
}
