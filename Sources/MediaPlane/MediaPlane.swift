package import Forwarding
package import Logging
package import WebRTC

/// All media workers of a node, and the one stream of their events.
package final class MediaPlane: Sendable {
    package struct Configuration: Sendable {
        /// Address and base port: worker `i` binds `port + i`, or any free port where it is 0.
        package var listen: TransportAddress
        package var workers: Int
        /// Addresses for candidates, their ports are ignored; empty: every address of the host that `listen` reaches.
        package var advertise: [TransportAddress]
        package var identity: DTLSIdentity
        /// Bounds of each worker's unit.
        package var limits: Limits
        package var seed: UInt64

        package init(
            listen: TransportAddress, workers: Int = 1, advertise: [TransportAddress] = [], identity: DTLSIdentity,
            limits: Limits = Limits(), seed: UInt64
        ) {
            (self.listen, self.workers, self.advertise) = (listen, workers, advertise)
            (self.identity, self.limits, self.seed) = (identity, limits, seed)
        }
    }

    package let workers: [MediaWorker]
    /// Events of all workers, for one consumer; ends after `stop`.
    package let events = EventQueue()
    private let advertised: [TransportAddress]

    package init(_ configuration: Configuration, logger: Logger) throws(MediaPlaneError) {
        precondition(configuration.workers > 0, "a media plane has at least one worker")
        let listen = configuration.listen
        var generator = SeededGenerator(seed: configuration.seed)
        var workers: [MediaWorker] = []
        for index in 0..<configuration.workers {
            var address = listen
            if listen.port != 0 { address.port = UInt16(truncatingIfNeeded: Int(listen.port) + index) }
            let unit = ForwardingUnit.Configuration(
                identity: configuration.identity, limits: configuration.limits, seed: generator.next(), ntpOrigin: 0)
            workers.append(
                try MediaWorker(
                    index: index, configuration: .init(address: address, unit: unit), events: events,
                    logger: logger))
        }
        self.workers = workers
        advertised =
            configuration.advertise.isEmpty ? listen.reachableHostAddresses(hostAddresses()) : configuration.advertise
    }

    /// What SDP offers as host candidates for sessions on that worker.
    package func candidates(worker: Int) -> [TransportAddress] {
        let port = workers[worker].localAddress.port
        return advertised.map { address in
            var candidate = address
            candidate.port = port
            return candidate
        }
    }

    /// Counters, in the order of the workers.
    package func statistics(ofSessions: Bool = false) async -> [UnitStatistics] {
        await withTaskGroup(of: (Int, UnitStatistics).self) { group in
            for worker in workers { group.addTask { (worker.index, await worker.statistics(ofSessions: ofSessions)) } }
            var all = [UnitStatistics](repeating: UnitStatistics(), count: workers.count)
            for await (index, statistics) in group { all[index] = statistics }
            return all
        }
    }

    /// Stops all workers, then ends `events`.
    package func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.stop() } }
        }
        events.finish()
    }
}
