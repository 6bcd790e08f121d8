/// A place that goes back when nobody holds it any more.
package final class HeldPlace: Sendable {
    package let resource: FairShares.Resource
    private let place: FairShares.Place
    private let shares: FairShares

    package init(
        _ resource: FairShares.Resource, for network: ClientNetwork?, of shares: FairShares
    ) throws(FairShares.RefusalError) {
        place = try shares.take(resource, for: network).get()
        (self.resource, self.shares) = (resource, shares)
    }

    deinit { shares.giveBack(place) }
}
