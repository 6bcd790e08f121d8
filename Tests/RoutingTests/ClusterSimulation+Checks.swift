@testable import Routing

/// What has to be true.
extension ClusterSimulation {
    /// Within this after the last fault everybody has media who can have it.
    static let recovery = Duration.seconds(5)

    /// A relay that is not up after this is given up.
    private static let longestTakeover = RelayRouter.openTimeout + .seconds(1)

    /// Nodes that wait for each other in a circle, while nobody publishes, let go after this.
    static let longestLoop = Duration.seconds(15)

    // MARK: - At every moment

    func check(_ flows: [String: [Publication?]]) {
        for name in plan.broadcasts {
            checkLoops(name)
            if isQuiet { checkMedia(name, flows[name] ?? []) }
        }
    }

    /// Relays that feed each other in a circle are torn down again.
    private func checkLoops(_ name: String) {
        let isLoop = nodes.indices.contains { start in
            var index = start
            for _ in nodes {
                guard let relay = nodes[index].current[name], relay.isOpenAtServer, canPass(relay) else { return false }
                index = relay.server
                if index == start { return true }
            }
            return false
        }
        guard isLoop else { return loopSince[name] = nil }
        let since = loopSince[name] ?? now
        loopSince[name] = since
        if now - since == Self.longestLoop { fail("relays of \(name) have formed a loop since \(since)") }
    }

    private func checkMedia(_ name: String, _ flows: [Publication?]) {
        // One who pauses beside another, who may have crashed and not be missed yet, counts only while he sends.
        let open = nodes.compactMap { $0.publishing[name] }.filter(\.isOpen)
        if open.count > 1, open.contains(where: { $0.pause != nil }) { unsettled[name] = now }
        let since = max(lastFault, unsettled[name] ?? .zero)
        guard since < now else { return }
        let reached = reach(of: name)
        for viewer in viewers where viewer.name == name && viewer.state != .away && !reached[viewer.edge].isEmpty {
            guard viewer.state != .watching || flows[viewer.edge] == nil else { continue }
            // One that drains takes nobody new.
            if nodes[viewer.edge].isDraining, viewer.state != .watching { continue }
            figures.recovery = max(figures.recovery, now - since)
            if now - since > Self.recovery {
                let path = reached[viewer.edge].map { nodes[$0].plan.name }.joined(separator: ">")
                return fail("no \(name) for a viewer at \(path): \(viewer.state)")
            }
        }
    }

    /// A path from a live publisher to each node, over nodes that take relays; empty where there is none.
    func reach(of name: String) -> [[Int]] {
        var reached = nodes.map { $0.isAlive && $0.publishing[name]?.isLive == true ? [$0.index] : [] }
        var border = nodes.indices.filter { !reached[$0].isEmpty }
        for _ in 1..<Announcement.longestPath {
            var next: [Int] = []
            for index in border where !nodes[index].isDraining || nodes[index].plan.isOrigin {
                for (follower, _) in followers[index]
                where reached[follower].isEmpty && nodes[follower].isAlive && !isCut[index][follower] {
                    reached[follower] = reached[index] + [follower]
                    next.append(follower)
                }
            }
            border = next
        }
        return reached
    }

    // MARK: - When all is quiet

    /// No node gets anything twice, but for the moment in which one relay takes over from another.
    func checkSingleRelays() {
        for node in nodes where node.isAlive {
            for name in plan.broadcasts {
                let open = relays.filter {
                    $0.name == name && $0.client == node.index && $0.clientLife == node.life && $0.isOpenAtClient
                        && $0.opened + Self.longestTakeover <= now
                }
                if open.count > 1 { fail("\(node.plan.name) pulls \(name) \(open.count) times") }
            }
        }
    }

    /// With everything in order a region of edges that elect one of them gets exactly one copy, and everybody gets the
    /// newest publication.
    /// - Parameter isAtRest: nobody has come for a while.
    func checkCopies(isAtRest: Bool) {
        for region in plan.hubRegions {
            for name in plan.broadcasts {
                let here = relays.filter { $0.name == name && region.contains($0.client) && $0.isOpenAtServer }
                let isWanted = viewers.contains { $0.name == name && region.contains($0.edge) }
                let copies = here.count { !region.contains($0.server) }
                // Below parents the news changes while they get the broadcast themselves: one edge more may miss the hub
                // at first.
                let isBelowOrigins = nodes[region[0]].plan.above.allSatisfy { nodes[$0].plan.isOrigin }
                if copies > (isAtRest || isBelowOrigins ? 1 : 2) || isWanted && copies == 0 {
                    fail("\(copies) copies of \(name) go to region \(nodes[region[0]].plan.region)")
                }
                if Set(here.map(\.client)).count != here.count { fail("double relay of \(name)") }
            }
        }
        for name in plan.broadcasts {
            let live = nodes.compactMap { $0.publishing[name] }.filter(\.isLive)
            // Beside one that flows one that pauses counts now and then.
            if live.count > 1, live.contains(where: { $0.pause != nil }) { continue }
            let newest = live.map(\.publication).max()
            let flows = flows(of: name)
            for viewer in viewers where viewer.name == name && flows[viewer.edge] != newest {
                return fail("not the newest \(name) at \(nodes[viewer.edge].plan.name)")
            }
        }
    }

    /// Nobody watches: nothing is left of those who did.
    func checkNothingIsLeft() {
        for relay in relays {
            fail("a relay of \(relay.name) from \(nodes[relay.server].plan.name) is left")
        }
        for node in nodes {
            for name in plan.broadcasts where node.router.isWanted(name) {
                fail("\(node.plan.name) still wants \(name)")
            }
            if !node.asks.isEmpty || !node.requests.isEmpty || !node.hoping.isEmpty || !node.sources.isEmpty {
                fail("\(node.plan.name) still has requests")
            }
        }
    }

    /// There are no origins any more: nobody speaks of what they had.
    func checkNothingIsKnown() {
        for node in nodes where !node.router.announcements.isEmpty || !node.router.known.isEmpty {
            fail("\(node.plan.name) still announces something")
        }
    }
}
