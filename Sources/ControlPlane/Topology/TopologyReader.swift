import Yams

/// Walks a composed YAML tree by schema. Each step returns nil for what is absent or wrong and notes what is wrong, so
/// one pass finds every problem.
struct TopologyReader {
    /// A value and where it stands.
    struct Field {
        var node: Yams.Node
        var path: String
    }

    /// A mapping whose keys have been checked.
    struct Mapping {
        var path: String
        fileprivate var fields: [String: Field]

        subscript(key: String) -> Field? { fields[key] }
    }

    let file: String
    private(set) var problems: [ConfigurationError.Problem] = []
    /// Line of every path that was visited: a later check can name the place of what it complains about.
    private var lines: [String: Int] = [:]

    init(file: String) { self.file = file }

    /// The document's root; nil (and a problem) when it is no YAML, or not exactly one document.
    mutating func compose(_ yaml: String) -> Field? {
        let aliases = YAMLAliases.count(in: yaml)
        guard aliases <= Self.longestList else {
            report("", "has \(aliases) aliases; \(Self.longestList) are the most")
            return nil
        }
        do {
            guard let root = try Yams.compose(yaml: yaml) else {
                report("", "is empty")
                return nil
            }
            return visit(root, at: "")
        } catch let error as YamlError {
            let (line, message) = Self.explain(error)
            problems.append(.init(file: file, line: line, message: message))
        } catch {
            report("", "is not YAML")
        }
        return nil
    }

    /// Yams' own descriptions quote the file; these do not, for a token that stands there by mistake must not be shown.
    private static func explain(_ error: YamlError) -> (line: Int?, message: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            (context.mark.line, "is not YAML: the same key twice: \(keys.joined(separator: ", "))")
        case .reader(let problem, _, _, _): (nil, "is not YAML: \(problem)")
        default: (nil, "is not YAML")
        }
    }

    /// Notes a problem at `path`, on the line of the nearest enclosing path that was seen.
    mutating func report(_ path: String, _ message: String) {
        var place = Substring(path)
        while lines[String(place)] == nil, let cut = place.lastIndex(where: { $0 == "." || $0 == "[" }) {
            place = place[..<cut]
        }
        // A key that the root lacks has no line.
        problems.append(.init(file: file, line: lines[String(place)], path: path, message: message))
    }

    private mutating func visit(_ node: Yams.Node, at path: String) -> Field {
        // An alias keeps the line of its anchor, which is where the mistake is.
        if let line = node.mark?.line, !path.isEmpty { lines[path] = line }
        return Field(node: node, path: path)
    }
}

// MARK: - Shapes

extension TopologyReader {
    /// The mapping at `field`, whose keys are among `keys`; unknown ones are problems but do not hide the others.
    mutating func mapping(_ field: Field?, keys: [String]) -> Mapping? {
        guard let field else { return nil }
        guard case .mapping(let pairs) = field.node else {
            report(field.path, "expected a mapping, found \(Self.kind(of: field.node))")
            return nil
        }
        var result = Mapping(path: field.path, fields: [:])
        for (key, value) in pairs {
            guard case .scalar(let scalar) = key, !scalar.string.isEmpty else {
                let message = "a key here is \(Self.kind(of: key)), not a word"
                problems.append(.init(file: file, line: key.mark?.line, path: field.path, message: message))
                continue
            }
            let path = field.path.isEmpty ? scalar.string : field.path + "." + scalar.string
            lines[path] = key.mark?.line ?? value.mark?.line
            guard keys.contains(scalar.string) else {
                report(path, "unknown key; known here: \(keys.joined(separator: ", "))")
                continue
            }
            result.fields[scalar.string] = Field(node: value, path: path)
        }
        return result
    }

    /// A mapping whose keys the file chooses; in its order.
    mutating func entries(_ field: Field?) -> [(key: String, field: Field)] {
        guard let field else { return [] }
        guard case .mapping(let pairs) = field.node else {
            report(field.path, "expected a mapping, found \(Self.kind(of: field.node))")
            return []
        }
        guard pairs.count <= Self.longestList else {
            report(field.path, "has \(pairs.count) entries; \(Self.longestList) are the most")
            return []
        }
        let keys = pairs.compactMap { key, _ in
            if case .scalar(let scalar) = key, !scalar.string.isEmpty { scalar.string } else { nil as String? }
        }
        return mapping(field, keys: keys)?.fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } ?? []
    }

    /// As `mapping[key]`; its absence is a problem.
    mutating func required(_ key: String, in mapping: Mapping) -> Field? {
        if let field = mapping[key] { return field }
        report(mapping.path.isEmpty ? key : mapping.path + "." + key, "is missing")
        return nil
    }

    /// No list of a topology needs more; what compares all pairs stays cheap.
    static let longestList = 1_000

    /// The items of a sequence; nil when it is none.
    mutating func sequence(_ field: Field?) -> [Field]? {
        guard let field else { return nil }
        guard case .sequence(let items) = field.node else {
            report(field.path, "expected a list, found \(Self.kind(of: field.node))")
            return nil
        }
        if items.count > Self.longestList {
            report(field.path, "has \(items.count) items; \(Self.longestList) are the most")
        }
        return items.prefix(Self.longestList).enumerated().map { visit($1, at: "\(field.path)[\($0)]") }
    }

    static func kind(of node: Yams.Node) -> String {
        switch node {
        case .scalar(let scalar): isNull(scalar) ? "nothing" : "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private static func isNull(_ scalar: Yams.Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

// MARK: - Values

extension TopologyReader {
    /// A scalar's text, unless it is null. `expected` names what should be there.
    mutating func text(_ field: Field?, _ expected: String = "text") -> String? {
        guard let field else { return nil }
        guard case .scalar(let scalar) = field.node, !Self.isNull(scalar) else {
            report(field.path, "expected \(expected), found \(Self.kind(of: field.node))")
            return nil
        }
        return scalar.string
    }

    /// The text of an unquoted scalar: numbers and booleans in quotes are text.
    private mutating func plain(_ field: Field?, _ expected: String) -> String? {
        guard let field, let text = text(field, expected) else { return nil }
        guard case .scalar(let scalar) = field.node, scalar.style == .plain else {
            report(field.path, "expected \(expected), found text in quotes")
            return nil
        }
        return text
    }

    mutating func boolean(_ field: Field?) -> Bool? {
        guard let field, let text = plain(field, "true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            report(field.path, "expected true or false, found \"\(QuotedText.shown(text))\"")
            return nil
        }
    }

    mutating func integer(_ field: Field?, in range: ClosedRange<Int>) -> Int? {
        guard let field, let text = plain(field, "a whole number") else { return nil }
        return value(Int(text), of: text, at: field, "a whole number", in: range)
    }

    mutating func number(_ field: Field?, in range: ClosedRange<Double>) -> Double? {
        guard let field, let text = plain(field, "a number") else { return nil }
        let number = Double(text).flatMap { $0.isFinite ? $0 : nil }
        return value(number, of: text, at: field, "a number", in: range)
    }

    /// A number with the unit ms, s, m or h.
    mutating func duration(_ field: Field?, in range: ClosedRange<Duration>) -> Duration? {
        guard let field, let text = text(field, "a duration") else { return nil }
        return value(
            Self.duration(text), of: text, at: field, "a duration such as 30s, 500ms, 2m or 1h", in: range)
    }

    /// - Parameter value: what `text` says; nil: it is not what is `expected`.
    private mutating func value<Value: Comparable>(
        _ value: Value?, of text: String, at field: Field, _ expected: String, in range: ClosedRange<Value>
    ) -> Value? {
        guard let value else {
            report(field.path, "expected \(expected), found \"\(QuotedText.shown(text))\"")
            return nil
        }
        guard range.contains(value) else {
            report(field.path, "\(QuotedText.shown(text)) is not between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return value
    }

    private static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        guard let (unit, milliseconds) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
        let digits = text.dropLast(unit.count)
        guard digits.first?.isASCII == true, digits.first?.isNumber == true, digits.count <= 12,
            digits.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }), let count = Double(digits)
        else { return nil }
        return .milliseconds(count * milliseconds)
    }

    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(_ field: Field?, _: Value.Type) -> Value? {
        let expected = Value.allCases.map(\.rawValue).joined(separator: " or ")
        guard let field, let text = text(field, expected) else { return nil }
        if let value = Value(rawValue: text) { return value }
        report(field.path, "expected \(expected), found \"\(QuotedText.shown(text))\"")
        return nil
    }
}
