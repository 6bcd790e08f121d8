import FoundationEssentials
import Routing

/// One event of a node's directory stream.
enum DirectoryMessage: Sendable {
    /// `malformed`: entries that were left out.
    case snapshot(NodeFacts, [Announcement], malformed: Int)
    case announce(Announcement)
    case withdraw(broadcast: String)
    case node(NodeFacts)

    private struct Snapshot: Decodable {
        var node: NodeFacts
        var broadcasts: [Lenient]
    }

    /// One rubbish entry does not spoil the others.
    private struct Lenient: Decodable {
        var announcement: Announcement?

        init(from decoder: any Decoder) throws {
            announcement = try? Announcement(from: decoder)
            if announcement?.isValid != true { announcement = nil }
        }
    }

    private struct Withdrawal: Decodable {
        var name: String
    }

    /// Runs beside the directory, since a snapshot may be long.
    @concurrent static func read(_ event: String, _ data: String) async -> DirectoryMessage? { decode(event, data) }

    /// nil: not what a node says.
    static func decode(_ event: String, _ data: String) -> DirectoryMessage? {
        let decoder = JSONDecoder()
        let data = Data(data.utf8)
        switch event {
        case "snapshot":
            guard let snapshot = try? decoder.decode(Snapshot.self, from: data), snapshot.node.isValid else {
                return nil
            }
            let valid = snapshot.broadcasts.compactMap(\.announcement)
            return .snapshot(snapshot.node, valid, malformed: snapshot.broadcasts.count - valid.count)
        case "announce":
            guard let announcement = try? decoder.decode(Announcement.self, from: data), announcement.isValid
            else { return nil }
            return .announce(announcement)
        case "withdraw":
            guard let name = (try? decoder.decode(Withdrawal.self, from: data))?.name, BroadcastName.isValid(name)
            else { return nil }
            return .withdraw(broadcast: name)
        case "node":
            guard let facts = try? decoder.decode(NodeFacts.self, from: data), facts.isValid else { return nil }
            return .node(facts)
        default: return nil
        }
    }
}
