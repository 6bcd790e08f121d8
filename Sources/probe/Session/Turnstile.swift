/// Lets so many in at once; the others wait in line, first come, first served. The line for the probe's own connections
/// is so outside of what it measures and of what it gives a server time for.
package actor Turnstile {
    private var free: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    package init(_ places: Int) {
        precondition(places > 0, "somebody is let in")
        free = places
    }

    package func enter() async {
        if free > 0 { return free -= 1 }
        await withCheckedContinuation { line.append($0) }
    }

    package func leave() {
        if line.isEmpty { free += 1 } else { line.removeFirst().resume() }
    }
}
