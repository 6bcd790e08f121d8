/// A clock that stands still between events, and the events to come. Of two at the same time the one that was asked for
/// first happens first.
final class VirtualTime {
    private struct Entry {
        var time: Duration
        var order: UInt64
        var body: () -> Void

        static func < (a: Entry, b: Entry) -> Bool { a.time != b.time ? a.time < b.time : a.order < b.order }
    }

    private(set) var now = Duration.zero
    private(set) var count: UInt64 = 0
    private var heap: [Entry] = []
    /// A cluster that never comes to rest ends here.
    private static let mostEvents: UInt64 = 1_000_000
    var isExhausted: Bool { count > Self.mostEvents }

    func after(_ delay: Duration, _ body: @escaping () -> Void) {
        heap.append(Entry(time: now + max(delay, .zero), order: count, body: body))
        count += 1
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Lets everything happen that is due by then.
    func run(until end: Duration) {
        while let first = heap.first, first.time <= end, !isExhausted {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
            sift()
            now = first.time
            first.body()
        }
        now = end
    }

    /// Nothing more happens; what the events hold on to is let go.
    func stop() { heap = [] }

    private func sift() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
