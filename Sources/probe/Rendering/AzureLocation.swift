import ControlPlane

/// Where Azure has data centres: Traffic Manager measures latency to these, and an endpoint elsewhere is taken for the nearest.
struct AzureLocation {
    var name: String
    var place: Topology.Location

    /// - Parameter place: nil is nowhere, and then any is as good.
    static func nearest(to place: Topology.Location?) -> AzureLocation {
        guard let place else { return all[0] }
        return all.min { $0.place.distance(to: place) < $1.place.distance(to: place) } ?? all[0]
    }

    static let all = [
        at("westeurope", 52.37, 4.9), at("northeurope", 53.35, -6.26), at("uksouth", 50.94, -0.8),
        at("ukwest", 53.43, -3.08), at("francecentral", 46.38, 2.37), at("germanywestcentral", 50.11, 8.68),
        at("switzerlandnorth", 47.45, 8.56), at("italynorth", 45.47, 9.18), at("spaincentral", 40.43, -3.42),
        at("norwayeast", 59.91, 10.75), at("swedencentral", 60.67, 17.14), at("polandcentral", 52.23, 21.02),
        at("israelcentral", 31.27, 33.45), at("uaenorth", 25.27, 55.32), at("qatarcentral", 25.55, 51.44),
        at("southafricanorth", -25.73, 28.22), at("centralindia", 18.58, 73.92), at("southindia", 12.98, 80.16),
        at("southeastasia", 1.28, 103.83), at("eastasia", 22.27, 114.19), at("koreacentral", 37.57, 126.98),
        at("japaneast", 35.68, 139.77), at("japanwest", 34.69, 135.5), at("australiaeast", -33.86, 151.21),
        at("australiasoutheast", -37.81, 144.96), at("newzealandnorth", -36.85, 174.76),
        at("canadacentral", 43.65, -79.38), at("canadaeast", 46.82, -71.22), at("eastus", 37.37, -79.82),
        at("eastus2", 36.67, -78.39), at("centralus", 41.59, -93.62), at("northcentralus", 41.88, -87.63),
        at("southcentralus", 29.42, -98.5), at("westcentralus", 40.89, -110.23), at("westus", 37.78, -122.42),
        at("westus2", 47.23, -119.85), at("westus3", 33.45, -112.07), at("mexicocentral", 20.59, -100.39),
        at("brazilsouth", -23.55, -46.63),
    ]

    private static func at(_ name: String, _ latitude: Double, _ longitude: Double) -> AzureLocation {
        .init(name: name, place: .init(latitude: latitude, longitude: longitude))
    }
}
