import CAres
package import NIOPosix
import WebRTC

/// Asks for the addresses behind one name, through c-ares: search domains, several servers, and TCP after truncation are
/// its business.
package struct DNSSource: Sendable {
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    package struct Answer: Hashable, Sendable {
        /// At least one.
        package var endpoints: [DiscoveredEndpoint]
        /// Within `bounds`.
        package var validFor: Duration
    }

    /// Of the time that an answer is good for, whatever its TTL says.
    package static let bounds: ClosedRange<Duration> = .seconds(1) ... .seconds(300)
    /// More targets of an SRV answer are not resolved.
    package static let mostTargets = 64
    /// More addresses of one answer are not used.
    package static let mostEndpoints = 1_024
    /// Milliseconds for one look-up, and for all targets of an SRV answer together: who answers slowly gets no more.
    private static let patience = 3_000
    private static let longest = Duration.seconds(10)

    package let query: Topology.DNSUpstream
    private let pool: NIOThreadPool

    /// - Parameter pool: look-ups block a thread of it each.
    package init(_ query: Topology.DNSUpstream, pool: NIOThreadPool) { (self.query, self.pool) = (query, pool) }

    package func resolve() async throws(Failure) -> Answer {
        let result: Result<Answer, Failure>
        do {
            result = try await pool.runIfActive { [query] in
                do throws(Failure) { return .success(try Self.resolve(query)) } catch { return .failure(error) }
            }
        } catch {
            throw Failure(description: "cancelled")
        }
        return try result.get()
    }

    private static func resolve(_ query: Topology.DNSUpstream) throws(Failure) -> Answer {
        let endpoints: [DiscoveredEndpoint]
        var seconds: UInt32
        switch query.record {
        case .a, .aaaa:
            let message = try ask(query.name, query.record == .a ? .a : .aaaa, query.servers)
            seconds = message.secondsToLive ?? 0
            endpoints = message.addresses.map { .init($0.with(port: query.port)) }
        case .srv:
            let message = try ask(query.name, .srv, query.servers)
            seconds = message.secondsToLive ?? 0
            endpoints = resolveTargets(message.services, query.servers, &seconds)
        }
        let usable = endpoints.filter { DiscoveredEndpoint.isUsable($0.address) && $0.address.port != 0 }
        guard !usable.isEmpty else { throw Failure(description: "no usable address") }
        let kept = DiscoveredEndpoint.merged(Array(usable.prefix(mostEndpoints)))
        return Answer(endpoints: kept, validFor: bounded(seconds))
    }

    package static func bounded(_ seconds: UInt32) -> Duration {
        min(max(.seconds(Int(seconds)), bounds.lowerBound), bounds.upperBound)
    }

    /// Every address of every target; the first label of a target is the host's name, as with StatefulSets.
    private static func resolveTargets(
        _ services: [DNSMessage.Service], _ servers: [String], _ seconds: inout UInt32
    ) -> [DiscoveredEndpoint] {
        var found: [DiscoveredEndpoint] = []
        let sorted = services.sorted { ($0.priority, -$0.weight, $0.target) < ($1.priority, -$1.weight, $1.target) }
        let deadline = ContinuousClock.now + longest
        for service in sorted.prefix(mostTargets) where !service.target.isEmpty {
            for kind in [DNSMessage.Kind.a, .aaaa] where found.count < mostEndpoints && .now < deadline {
                // Absolute: a target needs no search domain. A target without addresses leaves the others.
                guard let message = try? ask(service.target + ".", kind, servers) else { continue }
                seconds = min(seconds, message.secondsToLive ?? seconds)
                let hostname = service.target.split(separator: ".").first.map(String.init)
                found += message.addresses.map {
                    .init($0.with(port: service.port), hostname: hostname, priority: service.priority)
                }
            }
        }
        return found
    }

    private static let isInitialised = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    private static func ask(
        _ name: String, _ kind: DNSMessage.Kind, _ servers: [String]
    ) throws(Failure) -> DNSMessage {
        guard isInitialised else { throw Failure(description: "c-ares did not initialise") }
        var answer = [UInt8](repeating: 0, count: 65_535)
        var length: Int32 = 0
        let list = servers.isEmpty ? nil : servers.joined(separator: ",")
        let status = unsafe answer.withUnsafeMutableBufferPointer { buffer in
            unsafe cares_lookup(
                list, name, Int32(kind.rawValue), Int32(patience), buffer.baseAddress, Int32(buffer.count), &length)
        }
        guard status == ARES_SUCCESS else {
            throw Failure(description: unsafe String(cString: ares_strerror(status)))
        }
        guard let message = DNSMessage.parse(Array(answer.prefix(Int(length)))) else {
            throw Failure(description: "the answer is malformed")
        }
        return message
    }
}

extension TransportAddress {
    fileprivate func with(port: UInt16) -> TransportAddress {
        var address = self
        address.port = port
        return address
    }
}
