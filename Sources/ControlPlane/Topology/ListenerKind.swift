/// On which listener a resource was made; it does not exist on the other.
package enum ListenerKind: String, CaseIterable, Sendable { case `public`, `internal` }
