// A datagram from nobody we know must cost nothing but cycles: parsing it and looking its user fragment up allocates no
// object. Counted by the Swift runtime's own allocation hook, in a process of its own, where nothing else runs.
import Glibc
import Testing
import WebRTC

/// Where the hook keeps its state: [0] the original function, [1] the count. An address, since the hook cannot capture.
private let hookState: UInt = {
    let words = UnsafeMutablePointer<Int>.allocate(capacity: 2)
    unsafe words.initialize(repeating: 0, count: 2)
    return UInt(bitPattern: words)
}()

private typealias AllocateObject = @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?

/// Objects that `body` allocates; nil where the runtime has no such hook.
private func countAllocations(_ body: () -> Void) -> Int? {
    guard let entry = unsafe dlsym(nil, "_swift_allocObject"),
        let enable = unsafe dlsym(nil, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly"),
        let state = unsafe UnsafeMutablePointer<Int>(bitPattern: hookState)
    else { return nil }
    let slot = unsafe entry.assumingMemoryBound(to: Int.self)
    let hook: AllocateObject = { metadata, size, alignment in
        guard let state = unsafe UnsafeMutablePointer<Int>(bitPattern: hookState) else { return nil }
        unsafe state[1] += 1
        let original = unsafe unsafeBitCast(state[0], to: AllocateObject.self)
        return unsafe original(metadata, size, alignment)
    }
    unsafe state[0] = slot.pointee
    unsafe state[1] = 0
    unsafe slot.pointee = unsafeBitCast(hook, to: Int.self)
    unsafe enable.storeBytes(of: true, as: Bool.self)
    body()
    unsafe enable.storeBytes(of: false, as: Bool.self)
    unsafe slot.pointee = state[0]
    return unsafe state[1]
}

/// Whether `datagram` is for one of `sessions`, as the forwarding unit finds out.
private func isKnown(_ datagram: [UInt8], _ sessions: [UInt64: Int]) -> Bool {
    let bytes = RawSpan(_elements: datagram.span)
    guard let message = STUNMessage.parse(bytes), let key = message.localUfragKey(in: bytes) else { return false }
    return sessions[key] != nil
}

/// How many of `datagrams` are. A loop by index: iterators are objects in debug builds.
private func known(_ datagrams: [[UInt8]], _ sessions: [UInt64: Int]) -> Int {
    var found = 0
    for i in 0..<datagrams.count where isKnown(datagrams[i], sessions) { found += 1 }
    return found
}

@Suite struct StrangerAllocationTests {
    @Test func strangersAllocateNothing() async {
        await #expect(processExitsWith: .success) {
            var writer = STUNWriter(.request, transactionID: RFC5769.transactionID)
            writer.addUsername(Array("stranger:abcd".utf8))
            writer.addPriority(1)
            writer.addControlling(tieBreaker: 2)
            let datagrams = [writer.finish(key: RFC5769.password), RFC5769.request, RFC5769.ipv6Response, [0, 1, 2]]
            let sessions: [UInt64: Int] = [1: 1, 2: 2, 3: 3]
            precondition(known(datagrams, sessions) == 0, "nobody knows them")
            // The counter counts: an array that escapes is one object at least.
            var kept: [[Int]] = []
            guard let control = countAllocations({ kept.append([datagrams.count, 1, 2]) }) else { return }
            precondition(control > 0 && kept.count == 1, "the allocation hook is in place")
            let count = countAllocations { for _ in 0..<100 { precondition(known(datagrams, sessions) == 0) } }
            precondition(count == 0, "\(count ?? -1) objects for 400 datagrams of strangers")
        }
    }
}
