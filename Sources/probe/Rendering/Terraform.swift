import ControlPlane

/// Pieces of Terraform's language, laid out as `terraform fmt` does.
enum Terraform {
    /// `key = value` lines whose signs stand below each other.
    static func attributes(_ pairs: [(String, String)]) -> [Outline] {
        let width = pairs.map(\.0.count).max() ?? 0
        return pairs.map { key, value in
            .line("\(key)\(String(repeating: " ", count: width - key.count)) = \(value)")
        }
    }

    static func resource(_ type: String, _ name: String, _ body: [Outline]) -> Outline {
        .block("resource \(quoted(type)) \(quoted(name)) {", body)
    }

    static func providers(_ name: String, source: String, version: String) -> Outline {
        .block(
            "terraform {",
            [
                .block(
                    "required_providers {",
                    [
                        .block(
                            "\(name) = {",
                            attributes([("source", quoted(source)), ("version", quoted(version))]))
                    ])
            ])
    }

    /// Blocks with an empty line between each two.
    static func text(_ blocks: [Outline]) -> String { blocks.map { Outline.text([$0]) }.joined(separator: "\n") }

    /// An identifier: names of nodes and regions are some, host names have dots.
    static func identifier(_ text: String) -> String { text.replacing(".", with: "-") }
}

extension NamePlan {
    /// Targets that find the nearest region by its place on the map need it.
    func requireLocations(_ target: RenderTarget) throws(ConfigurationError) {
        let used = Set(services.flatMap(\.sites).map(\.region.name))
        let problems = regions.enumerated().filter { used.contains($1.name) && $1.location == nil }.map { i, _ in
            ConfigurationError.Problem(
                file: file, path: "regions[\(i)].location", message: "is missing; --target \(target.rawValue) needs it")
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }
}
