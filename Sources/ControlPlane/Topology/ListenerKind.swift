/// A resource exists only on the listener on which it was made.
package enum ListenerKind: String, CaseIterable, Sendable {
    case `public`, `internal`
    /// Plain HTTP beside a public listener with TLS: leads there, and answers an authority's challenges.
    case plain
}
