import Glibc

extension Topology.Location {
    /// Kilometres along the great circle, on a sphere (haversine formula).
    package func distance(to other: Self) -> Double {
        let radians = Double.pi / 180
        let (a, b) = (latitude * radians, other.latitude * radians)
        let (sine, side) = (sin((b - a) / 2), sin((other.longitude - longitude) * radians / 2))
        return 2 * 6_371 * asin(min(1, (sine * sine + cos(a) * cos(b) * side * side).squareRoot()))
    }
}
