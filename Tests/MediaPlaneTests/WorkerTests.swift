// A worker answers its mailbox, reads its socket, ends when told. The unit inside is the real one.

import Forwarding
import Glibc
import Logging
import MediaPlane
import Testing
import WebRTC

private let loopback = TransportAddress("127.0.0.1", port: 0)!
private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func makePlane(workers: Int = 1, listen: TransportAddress = loopback) throws -> MediaPlane {
    try MediaPlane(
        .init(listen: listen, workers: workers, identity: try DTLSIdentity.generate(), seed: 1), logger: quiet)
}

@Suite(.timeLimit(.minutes(5))) struct WorkerTests {
    /// Nothing arrives and no deadline is near: only the mailbox can wake the thread.
    @Test func aCommandWakesASleepingThread() async throws {
        let plane = try makePlane()
        for _ in 0..<100 { #expect(await plane.workers[0].statistics().datagramsIn == 0) }
        await plane.stop()
    }

    @Test func commandsFromManyTasksAreAllAnswered() async throws {
        let plane = try makePlane(workers: 2)
        let answered = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await plane.statistics().count } }
            return await group.reduce(0, +)
        }
        #expect(answered == 100)
        await plane.stop()
    }

    @Test func requestsSentByHandAreAnsweredOnTheStream() async throws {
        let plane = try makePlane()
        plane.workers[0].send(.collectStatistics(RequestID(rawValue: 7)))
        var iterator = plane.events.makeAsyncIterator()
        guard case .statistics(let id, _)? = await iterator.next() else {
            Issue.record("the first event is the answer")
            return
        }
        #expect(id == RequestID(rawValue: 7))
        await plane.stop()
        #expect(await iterator.next() == nil, "the stream ends with the plane")
    }

    /// More than one turn takes: none is lost, none overtakes another, and what came before the end is still done.
    @Test func manyCommandsAtOnceAreDoneInTheirOrder() async throws {
        let plane = try makePlane()
        let broadcast = BroadcastID(rawValue: 1)
        let format = TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2))
        for n in 0..<4_000 {
            plane.workers[0].send(.openBroadcast(broadcast, tracks: [format]))
            if n % 100 == 0 { plane.workers[0].send(.collectStatistics(RequestID(rawValue: UInt64(n)))) }
            plane.workers[0].send(.closeBroadcast(broadcast, reason: .sourceGone))
        }
        async let stopped: Void = plane.stop()
        var answers: [UInt64] = []
        for await event in plane.events {
            guard case .statistics(let id, let statistics) = event else { continue }
            answers.append(id.rawValue)
            #expect(statistics.broadcasts == 1)
        }
        #expect(answers == (0..<40).map { $0 * 100 })
        await stopped
    }

    @Test func datagramsReachTheUnitInWhateverNumber() async throws {
        let plane = try makePlane()
        let sender = UDPSockets(descriptor: try UDPSocket.open(loopback))
        try await sendRubbish(500, from: sender, to: plane)
        await plane.stop()
    }

    /// Sends in steps that fit any receive buffer, and waits for the counter to follow.
    private func sendRubbish(_ count: Int, from sender: consuming UDPSockets, to plane: MediaPlane) async throws {
        let outbox = Outbox()
        for sent in stride(from: 0, to: count, by: 100) {
            outbox.removeAll()
            // 0xFF begins no protocol of RFC 7983.
            for i in 0..<100 { outbox.append([0xFF, UInt8(i), 0, 0], to: plane.workers[0].localAddress) }
            sender.send(outbox, now: MonotonicClock.now())
            try await until { await plane.workers[0].statistics().datagramsIn >= UInt64(sent + 100) }
        }
        let statistics = await plane.workers[0].statistics()
        #expect(statistics.datagramsIn == UInt64(count))
        #expect(statistics.drops[Int(DropReason.unclassified.rawValue)] == UInt64(count))
        #expect(plane.workers[0].processorTime > .zero)
    }

    @Test func aReportOfAnUnknownSessionIsNil() async throws {
        let plane = try makePlane()
        #expect(await plane.workers[0].report(SessionID(rawValue: 1)) == nil)
        await plane.stop()
    }

    @Test func stopJoinsOnceForAllCallers() async throws {
        let plane = try makePlane()
        let worker = plane.workers[0]
        let address = worker.localAddress
        async let first: Void = worker.stop()
        async let second: Void = worker.stop()
        _ = await (first, second)
        await worker.stop()
        // The thread is gone and with it the socket: the port is free.
        close(try UDPSocket.open(address))
        #expect(!worker.send(.collectStatistics(RequestID(rawValue: 1))))
        #expect(await worker.statistics().datagramsIn == 0, "a stopped worker answers at once")
    }

    @Test func aForgottenWorkerEndsItsThread() async throws {
        var plane: MediaPlane? = try makePlane()
        let address = try #require(plane?.workers[0].localAddress)
        plane = nil
        // The socket goes with the thread.
        try await until { (try? UDPSocket.open(address)).map { close($0) } != nil }
    }

    @Test func portsFollowTheBasePort() async throws {
        let probe = try makePlane()
        let base = probe.workers[0].localAddress.port
        await probe.stop()
        let plane: MediaPlane
        do {
            plane = try makePlane(workers: 2, listen: TransportAddress("127.0.0.1", port: base)!)
        } catch { return }  // somebody else has the neighbour port
        #expect(plane.workers.map(\.localAddress.port) == [base, base &+ 1])
        #expect(plane.candidates(worker: 1) == [TransportAddress("127.0.0.1", port: base &+ 1)!])
        await plane.stop()
    }

    @Test func aTakenPortStartsNothing() async throws {
        let plane = try makePlane()
        #expect(throws: MediaPlaneError.self) { _ = try makePlane(listen: plane.workers[0].localAddress) }
        await plane.stop()
    }
}
