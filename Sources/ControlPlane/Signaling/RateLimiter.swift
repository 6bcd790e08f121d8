import Synchronization

/// A token bucket per client network.
final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var updated: ContinuousClock.Instant
    }

    private let perSecond: Double
    private let burst: Double
    private let maximumAddresses: Int
    private let buckets = Mutex<[ClientNetwork: Bucket]>([:])

    init(perSecond: Int, burst: Int, addresses: Int) {
        (self.perSecond, self.burst) = (Double(max(perSecond, 1)), Double(max(burst, 1)))
        maximumAddresses = max(addresses, 1)
    }

    /// nil: go on. Else the seconds after which the next request will do.
    func delay(for client: ClientNetwork, now: ContinuousClock.Instant) -> Int? {
        buckets.withLock { buckets in
            if buckets[client] == nil, buckets.count >= maximumAddresses {
                Self.forget(&buckets, keeping: maximumAddresses)
            }
            var bucket = buckets[client] ?? Bucket(tokens: burst, updated: now)
            let elapsed = (now - bucket.updated) / .seconds(1)
            bucket.tokens = min(burst, bucket.tokens + max(elapsed, 0) * perSecond)
            bucket.updated = now
            defer { buckets[client] = bucket }
            guard bucket.tokens >= 1 else { return max(1, Int(((1 - bucket.tokens) / perSecond).rounded(.up))) }
            bucket.tokens -= 1
            return nil
        }
    }

    var addresses: Int { buckets.withLock { $0.count } }

    /// Drops the longest idle quarter at once, so that a flood of addresses does not sort the table each time.
    private static func forget(_ buckets: inout [ClientNetwork: Bucket], keeping bound: Int) {
        let oldest = buckets.sorted { $0.value.updated < $1.value.updated }.prefix(max(1, bound / 4))
        for (client, _) in oldest { buckets[client] = nil }
    }
}
