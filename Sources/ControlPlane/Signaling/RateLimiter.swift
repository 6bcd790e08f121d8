import Synchronization
import WebRTC

/// A token bucket per remote address for the requests that change something. An IPv6 host owns a /64 and counts as one.
final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var updated: ContinuousClock.Instant
    }

    private let perSecond: Double
    private let burst: Double
    private let maximumAddresses: Int
    private let buckets = Mutex<[TransportAddress: Bucket]>([:])

    init(perSecond: Int, burst: Int, addresses: Int) {
        (self.perSecond, self.burst) = (Double(max(perSecond, 1)), Double(max(burst, 1)))
        maximumAddresses = max(addresses, 1)
    }

    /// nil: go on. Else the seconds after which the next request will do.
    func delay(for address: TransportAddress, now: ContinuousClock.Instant) -> Int? {
        var key = address
        key.port = 0
        if !key.isIPv4 { key.low = 0 }
        return buckets.withLock { buckets in
            if buckets[key] == nil, buckets.count >= maximumAddresses {
                Self.forget(&buckets, keeping: maximumAddresses)
            }
            var bucket = buckets[key] ?? Bucket(tokens: burst, updated: now)
            let elapsed = (now - bucket.updated) / .seconds(1)
            bucket.tokens = min(burst, bucket.tokens + max(elapsed, 0) * perSecond)
            bucket.updated = now
            defer { buckets[key] = bucket }
            guard bucket.tokens >= 1 else { return max(1, Int(((1 - bucket.tokens) / perSecond).rounded(.up))) }
            bucket.tokens -= 1
            return nil
        }
    }

    var addresses: Int { buckets.withLock { $0.count } }

    /// Drops the longest idle quarter at once, so that a flood of addresses does not sort the table each time.
    private static func forget(_ buckets: inout [TransportAddress: Bucket], keeping bound: Int) {
        let oldest = buckets.sorted { $0.value.updated < $1.value.updated }.prefix(max(1, bound / 4))
        for (address, _) in oldest { buckets[address] = nil }
    }
}
