/// Another node that this one may get broadcasts from, as `NodeDirectory` sees it at the moment.
package struct Neighbour: Identifiable, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// An origin or parent edge: an upstream of the topology or of discovery.
        case above
        /// An edge of the same region with the same upstreams: one of them fetches a broadcast for all.
        case peer
    }

    /// Its internal URL.
    package var id: String
    /// The node's name; an address where nobody has told it yet.
    package var name: String
    package var kind: Kind
    package var state: UpstreamHealth.State
    /// false while it says of itself that it drains.
    package var isReady: Bool

    package init(id: String, name: String, kind: Kind, state: UpstreamHealth.State = .up, isReady: Bool = true) {
        (self.id, self.name, self.kind, self.state, self.isReady) = (id, name, kind, state, isReady)
    }
}

/// What `NodeDirectory` tells the table of sessions.
package enum DirectoryEvent: Sendable {
    /// The whole list, in order of preference, whenever it or anything in it has changed.
    case neighbours([Neighbour])
    /// The directory stream of a neighbour is up; this replaces all that it announced before.
    case snapshot(Neighbour.ID, [Announcement])
    case announced(Neighbour.ID, Announcement)
    case withdrawn(Neighbour.ID, broadcast: String)
    /// The stream broke or fell silent. What the neighbour announced stays for the lease.
    case lost(Neighbour.ID)
}

/// What a node says of itself: the body of `/readyz`, and the `node` of its directory stream.
///
/// Nodes of several versions work together while they are replaced one by one: whatever is added here has a default for
/// those that do not say it, and what others say beyond it is passed over.
package struct NodeFacts: Codable, Hashable, Sendable {
    /// Bytes; a longer one is not taken.
    package static let longestInstance = 64

    package var node: String
    package var role: String
    /// Empty: it does not say.
    package var region: String
    /// Public base URL; empty: it does not say, so nobody is sent there.
    package var url: String
    package var viewers: Bool
    /// It should get traffic: what `/readyz` says.
    package var ready: Bool
    package var draining: Bool
    /// Share of the viewer limit in use, 0...1.
    package var load: Double
    /// Of the process, made at random at its start; empty: it does not say.
    package var instance: String

    package init(
        node: String, role: String, region: String, url: String, viewers: Bool, ready: Bool,
        draining: Bool, load: Double, instance: String = ""
    ) {
        (self.node, self.role, self.region, self.url) = (node, role, region, url)
        (self.viewers, self.ready, self.draining, self.load) = (viewers, ready, draining, load)
        self.instance = instance
    }

    /// - Throws: without `node` and `role`, and when something is of another type than it should be.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<T: Decodable>(_ key: CodingKeys, or other: T) throws -> T {
            try container.decodeIfPresent(T.self, forKey: key) ?? other
        }
        node = try container.decode(String.self, forKey: .node)
        role = try container.decode(String.self, forKey: .role)
        region = try value(.region, or: "")
        url = try value(.url, or: "")
        viewers = try value(.viewers, or: false)
        draining = try value(.draining, or: false)
        ready = try value(.ready, or: !draining)
        load = try value(.load, or: 0)
        instance = try value(.instance, or: "")
    }
}
