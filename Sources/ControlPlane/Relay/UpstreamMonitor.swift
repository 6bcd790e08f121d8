import FoundationEssentials
import ServiceLifecycle

/// Asks the nodes above, once a second, whether they answer and what is live there: for `/readyz`, `/api/nodes` and
/// `/api/broadcasts`. Whether a broadcast can be watched is never decided by this, only by asking for it.
package actor UpstreamMonitor: Service {
    package struct Observation: Sendable {
        package var isReachable = false
        package var isReady = false
        /// Of the last exchange.
        package var roundTrip: Duration?
        var broadcasts: [BroadcastSummary] = []
    }

    /// By node name.
    package private(set) var observations: [String: Observation] = [:]
    private let upstreams: [RelayClient.Upstream]
    private let http: HTTPClient
    private let interval: Duration

    package init(upstreams: [RelayClient.Upstream], http: HTTPClient, interval: Duration = .seconds(1)) {
        (self.upstreams, self.http, self.interval) = (upstreams, http, interval)
    }

    package var isAnyReachable: Bool { observations.values.contains(where: \.isReachable) }

    /// What the nodes above have, the first in order of preference where several have it.
    package var broadcasts: [BroadcastSummary] {
        var seen: Set<String> = []
        return upstreams.flatMap { observations[$0.name]?.broadcasts ?? [] }.filter { seen.insert($0.name).inserted }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.observe()
                // A node that has just started is found soon after its origin is.
                let pause = await self.isAnyReachable ? self.interval : min(self.interval, .milliseconds(250))
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Asks all of them once.
    package func observe() async {
        await withTaskGroup(of: (String, Observation).self) { group in
            for upstream in upstreams {
                group.addTask { [http] in (upstream.name, await Self.ask(upstream, http: http)) }
            }
            for await (name, observation) in group { observations[name] = observation }
        }
    }

    private static func ask(_ upstream: RelayClient.Upstream, http: HTTPClient) async -> Observation {
        var observation = Observation()
        let begin = ContinuousClock.now
        guard let ready = try? await http.perform(.init("GET", "\(upstream.url)/readyz", timeout: .seconds(1))) else {
            return observation
        }
        (observation.isReachable, observation.isReady) = (true, ready.status == 200)
        observation.roundTrip = .now - begin
        if let answer = try? await http.perform(.init("GET", "\(upstream.url)/api/broadcasts", timeout: .seconds(1))),
            answer.status == 200,
            let list = try? JSONDecoder().decode([BroadcastSummary].self, from: Data(answer.body))
        {
            observation.broadcasts = list
        }
        return observation
    }
}
