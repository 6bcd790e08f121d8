// A burst as a value: how fast it goes, under which times pictures leave in it, when it is repeated, when it ends.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct BurstTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test(arguments: [UInt32(0), 0xFFFF_F000]) func aPictureLeavesUnderTheTimeAtWhichItLeaves(origin: UInt32) {
        var burst = Burst(first: 0, roundTrip: .zero, now: .zero)
        // Pictures 3,000 ticks apart, the first 90,000 behind the edge; one leaves every 750 ticks.
        var last: UInt32?
        for picture in 0..<200 {
            let own = origin &+ UInt32(picture) * 3_000
            let edge = origin &+ 90_000 &+ UInt32(picture) * 750
            let stamp = own &+ burst.delta(of: own, number: Int64(picture) * 2, edge: edge)
            let again = burst.delta(of: own, number: Int64(picture) * 2 + 1, edge: edge &+ 100)
            #expect(again == stamp &- own)
            // At the edge its own time is the later one.
            #expect(stamp == (picture < 40 ? edge : own))
            if let last { #expect(Int32(bitPattern: stamp &- last) > 0) }
            last = stamp
            #expect(
                burst.delta(ofSent: own, number: Int64(picture) * 2) == stamp &- own, "a repair is of the same time")
        }
    }

    @Test func timesNeverGoBackWhenTheEdgeStands() {
        var burst = Burst(first: 0, roundTrip: .zero, now: .zero)
        let stamps = (0..<5).map { UInt32($0) * 10 &+ burst.delta(of: UInt32($0) * 10, number: Int64($0), edge: 1_000) }
        #expect(stamps == [1_000, 1_001, 1_002, 1_003, 1_004])
    }

    /// Packets 0, 1 of a picture, 4, 5 of the next but one; 1, 2, 3 and the first of the third come late.
    @Test func whatComesLateHasItsPicturesTime() {
        var burst = Burst(first: 0, roundTrip: .zero, now: .zero)
        let first = burst.delta(of: 100, number: 0, edge: 5_000)
        let third = burst.delta(of: 300, number: 6, edge: 5_500)
        let late = [(100, 1), (200, 2), (200, 4), (300, 5)].map {
            burst.delta(ofLate: UInt32($0.0), number: Int64($0.1))
        }
        let second = late[1]!
        #expect(200 &+ second > 100 &+ first && 200 &+ second < 300 &+ third)
        #expect(late == [first, second, second, third])
        #expect(burst.delta(ofSent: 200, number: 3) == second && burst.delta(ofSent: 300, number: 5) == third)
    }

    /// A packet that is sent again has to be the same one, or its key is lost: whatever is interleaved, doubled or late.
    @Test(arguments: 0..<200 as Range<UInt64>) func whatHasLeftHasOneTimeForEver(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var burst = Burst(first: 10, roundTrip: .zero, now: .zero)
        var sent: [Int64: (timestamp: UInt32, delta: UInt32)] = [:]
        var (number, edge, time, isLive) = (Int64(10), UInt32(9_000), Int64(1_000), false)
        func timestamp() -> UInt32 { UInt32.random(in: 0...5, using: &random) * 3_000 }
        for _ in 0..<300 {
            edge &+= 40
            time += 30
            switch UInt8.random(in: 0...19, using: &random) {
            case 0 where burst.replay(first: number, roundTrip: .zero, now: at(time)): isLive = false
            case 1 where !isLive: isLive = burst.reachedHead(endsPicture: true, next: number, now: at(time))
            case 2...8:
                // Late, if it has not left.
                let late = Int64.random(in: 5...number, using: &random)
                let own = timestamp()
                guard late < number, sent[late] == nil, let delta = burst.delta(ofLate: own, number: late) else {
                    break
                }
                sent[late] = (own, delta)
            default:
                number += Int64.random(in: 0...2, using: &random)
                let own = timestamp()
                sent[number] = (own, isLive ? 0 : burst.delta(of: own, number: number, edge: edge))
                number += 1
            }
            for (number, packet) in sent {
                let again = burst.delta(ofSent: packet.timestamp, number: number)
                #expect(again == packet.delta, "\(number)")
            }
        }
    }

    @Test(arguments: [nil, 250_000, 2_500_000] as [Int64?]) func itKeepsItsPace(encodingRate: Int64?) {
        var burst = Burst(first: 0, roundTrip: .zero, now: .zero)
        var sent: Int64 = 0
        for tick in 1...200 {
            let before = sent
            while burst.take(1_200, encodingRate: encodingRate, now: at(Int64(tick) * 5)) { sent += 1_200 }
            #expect(sent - before <= max(Burst.leastRate, 4 * (encodingRate ?? 0)) / 100 + 4_200, "10 ms at once")
        }
        let wanted = max(Burst.leastRate, 4 * (encodingRate ?? 0))
        #expect(abs(sent - wanted) < wanted / 50 + 4_200, "in a second")
    }

    @Test func whoAsksGetsItAgainButNotForEver() {
        var burst = Burst(first: 0, roundTrip: .milliseconds(40), now: .zero)
        // Before anything of it can have arrived and come to mind.
        expect(burst.replay(first: 0, roundTrip: .milliseconds(40), now: at(49)), is: false)
        var times: [Int64] = []
        for time in stride(from: Int64(50), to: 12_000, by: 10)
        where burst.replay(first: 0, roundTrip: .milliseconds(40), now: at(time)) { times.append(time) }
        #expect(times == [50, 240, 580, 1_220, 2_260])
        #expect(!burst.mayReplay(now: at(2_270)), "then it is the publisher's turn")
        #expect(!Burst(first: 0, roundTrip: .zero, now: .zero).mayReplay(now: at(10_000)))
    }

    @Test func aPictureIsNotLeftHalfWay() {
        var burst = Burst(first: 0, roundTrip: .zero, now: .zero)
        _ = burst.delta(of: 0, number: 3, edge: 9_000)
        expect(burst.reachedHead(endsPicture: false, next: 9, now: at(500)), is: false)
        expect(burst.isOver(now: at(60_000), historyAge: .seconds(Int64(3))), is: false)
        expect(burst.reachedHead(endsPicture: true, next: 9, now: at(600)), is: true)
        // As long as somebody may ask for a keyframe, or for a packet again.
        expect(burst.isOver(now: at(9_999), historyAge: .seconds(Int64(3))), is: false)
        expect(burst.isOver(now: at(10_000), historyAge: .seconds(Int64(3))), is: true)
        expect(burst.isOver(now: at(10_000), historyAge: .seconds(Int64(12))), is: false)
        // What leaves late may be asked for as long again.
        _ = burst.delta(ofLate: 0, number: 4)
        expect(burst.isOver(now: at(10_000), historyAge: .seconds(Int64(3))), is: false)
        expect(burst.isOver(now: at(13_001), historyAge: .seconds(Int64(3))), is: true)
        // A publisher who marks no ends of pictures.
        var endless = Burst(first: 0, roundTrip: .zero, now: .zero)
        expect(endless.reachedHead(endsPicture: false, next: 9, now: at(20_000)), is: false)
        expect(endless.reachedHead(endsPicture: false, next: 9, now: at(20_001)), is: true)
    }
}
