import Glibc
import Testing

@testable import ControlPlane

// A log whose reader stalls, or whose disk is full, holds up nobody: what has room is kept, in its order, and what has not is
// counted and said where it is missing.

@Suite("Log lines", .timeLimit(.minutes(5))) struct LineWriterTests {
    /// The two ends of a pipe that is full already but for `room` bytes.
    private struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32

        init(isBlocking: Bool = true) {
            var ends: [Int32] = [0, 0]
            let status = unsafe pipe(&ends)
            precondition(status == 0, "the test has two descriptors left")
            (readEnd, writeEnd) = (ends[0], ends[1])
            if !isBlocking { _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK) }
            // A reader that went away is no end of the tests.
            _ = signal(SIGPIPE, SIG_IGN)
        }

        /// Reads without holding a thread up until `isComplete` says so.
        func lines(until isComplete: ([Substring]) -> Bool) async -> [Substring] {
            _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
            var text = ""
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let deadline = ContinuousClock.now + patience
            while ContinuousClock.now < deadline {
                let count = unsafe read(readEnd, &buffer, buffer.count)
                if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
                if text.last == "\n", isComplete(text.split(separator: "\n")) { break }
                if count <= 0 { try? await Task.sleep(for: .milliseconds(2)) }
            }
            return text.split(separator: "\n")
        }
    }

    private func writer(_ descriptor: Int32, capacity: Int = LineWriter.capacity) -> LineWriter {
        LineWriter(descriptor: descriptor, capacity: capacity, pause: .milliseconds(1)) { "\($0) missing\n" }
    }

    /// More lines than pipe and queue hold, before anybody reads: nobody waits, and the gap is where it says.
    @Test(arguments: [true, false]) func aReaderThatStallsHoldsUpNobody(isBlocking: Bool) async {
        let pipe = Pipe(isBlocking: isBlocking)
        let writer = writer(pipe.writeEnd, capacity: 10_000)
        let all = (0..<20_000).map { "line \($0)" }
        for line in all { writer.write(line + "\n") }
        #expect(writer.dropped > 0)
        // The last line of all may have found room as well.
        let before = await pipe.lines {
            $0.last?.hasSuffix("missing") == true || $0.last == all.last.map { Substring($0) }
        }
        writer.write("after\n")
        let after = await pipe.lines { $0.last == "after" }
        // Lines of between, which found room as soon as somebody read, are there as well: each gap says its own size.
        var expected = all[...]
        for line in before + after {
            if line == "after" {
                #expect(expected.isEmpty)
            } else if line.hasSuffix(" missing"), let count = Int(line.dropLast(" missing".count)) {
                expected = expected.dropFirst(count)
            } else {
                #expect(expected.popFirst() == String(line))
            }
        }
        #expect(expected.isEmpty)
        #expect(writer.flush(within: patience))
    }

    /// Everything is there once there is room again.
    @Test func aFullDiskLosesNothing() async {
        let full = unsafe open("/dev/full", O_WRONLY)
        let writer = writer(full)
        for n in 0..<100 { writer.write("line \(n)\n") }
        #expect(!writer.flush(within: .milliseconds(20)))
        let pipe = Pipe()
        // The same descriptor leads elsewhere from here on.
        #expect(dup2(pipe.writeEnd, full) == full)
        #expect(await pipe.lines { $0.count == 100 } == (0..<100).map { "line \($0)" })
        #expect(writer.flush(within: patience) && writer.dropped == 0)
    }

    /// Nobody reads any more; then somebody else does.
    @Test func aReaderThatLeavesIsNotWaitedFor() async {
        let gone = Pipe()
        close(gone.readEnd)
        let writer = writer(gone.writeEnd)
        for _ in 0..<5 { writer.write("lost\n") }
        #expect(writer.flush(within: patience))
        #expect(writer.dropped == 5)
        let pipe = Pipe()
        #expect(dup2(pipe.writeEnd, gone.writeEnd) == gone.writeEnd)
        writer.write("found\n")
        #expect(await pipe.lines { $0.last == "found" } == ["5 missing", "found"])
    }

    /// The end of a process waits for the lines, and not for ever.
    @Test func theEndWaitsForTheLines() async {
        let pipe = Pipe()
        let writer = writer(pipe.writeEnd)
        writer.write("a\n")
        #expect(writer.flush(within: patience))
        let long = String(repeating: "x", count: 1 << 20) + "\n"
        writer.write(long)
        #expect(!writer.flush(within: .milliseconds(20)))
        let lines = await pipe.lines { $0.count == 2 }
        #expect(lines.map(\.utf8.count) == [1, 1 << 20])
        #expect(writer.flush(within: patience))
    }
}
