import ControlPlane

/// Regions by place, from the continent down, as plugin_geoip reads it: what is said of a part wins over what is said of the
/// whole.
struct PlaceTree {
    private var region: Topology.Region?
    /// In the order of their codes.
    private var parts: [String: PlaceTree] = [:]

    init(_ regions: [Topology.Region]) {
        for region in regions {
            for place in region.clients.places { insert(place.split(separator: "/")[...], region) }
        }
    }

    private init() {}

    var isEmpty: Bool { region == nil && parts.isEmpty }

    private mutating func insert(_ codes: ArraySlice<Substring>, _ region: Topology.Region) {
        guard let first = codes.first else {
            self.region = region
            return
        }
        parts[String(first), default: PlaceTree()].insert(codes.dropFirst(), region)
    }

    func outline(_ list: (Topology.Region) -> String) -> [Outline] {
        (region.map { [.line("default => \(list($0))")] } ?? [])
            + parts.sorted { $0.key < $1.key }.map { code, part in
                if let region = part.region, part.parts.isEmpty { return .line("\(code) => \(list(region))") }
                return .block("\(code) => {", part.outline(list))
            }
    }
}
