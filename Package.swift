// swift-tools-version: 6.2
import PackageDescription

// One setting list for all targets of ours. Warnings are errors; every unsafe construct is marked `unsafe`.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

// The functions that are fuzzed: with the tests, which repeat what was found, or in libFuzzer's program (`make fuzz`),
// which has to be built with -sanitize=fuzzer. CASCADE_FUZZ=media leaves out the control plane and all that it needs.
let fuzzed = Context.environment["CASCADE_FUZZ"]
let fuzzesControlPlane = fuzzed != "media"
let fuzzDependencies: [Target.Dependency] =
    ["Forwarding", "WebRTC"] + (fuzzesControlPlane ? ["ControlPlane"] : [])
let fuzzSettings = settings + (fuzzesControlPlane ? [.define("FUZZES_CONTROL_PLANE")] : [])
let fuzz: Target =
    fuzzed == nil
    ? .testTarget(
        name: "FuzzTests", dependencies: fuzzDependencies, exclude: ["Driver", "Regressions"],
        swiftSettings: fuzzSettings)
    : .executableTarget(
        name: "fuzz", dependencies: fuzzDependencies, path: "Tests/FuzzTests", exclude: ["Replay", "Regressions"],
        swiftSettings: fuzzSettings)

let package = Package(
    name: "cascade",
    products: [
        .executable(name: "origin", targets: ["origin"]),
        .executable(name: "edge", targets: ["edge"]),
        .executable(name: "probe", targets: ["probe"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSRTP", pkgConfig: "libsrtp2", providers: [.apt(["libsrtp2-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CLinux"),

        .target(name: "WebRTC", dependencies: ["COpenSSL", "CSRTP"], swiftSettings: settings),
        .target(
            name: "Forwarding",
            dependencies: ["WebRTC", .product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(
            name: "MediaPlane", dependencies: ["Forwarding", "WebRTC", "CLinux", logging], swiftSettings: settings),
        .target(name: "Routing", dependencies: ["WebRTC"], swiftSettings: settings),
        .target(
            name: "ControlPlane",
            dependencies: [
                "Routing", "MediaPlane", "Forwarding", "WebRTC", "CAres", "CCurl", "CLinux", "COpenSSL", logging,
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [
                .embedInCode("Web/pages/index.html"), .embedInCode("Web/pages/player.js"),
                .embedInCode("Web/pages/watching.js"), .embedInCode("Web/pages/network.js"),
                .embedInCode("Web/pages/states.js"), .embedInCode("Web/pages/lobby.js"),
                .embedInCode("Web/pages/viewing.js"), .embedInCode("Web/pages/events.js"),
                .embedInCode("Web/pages/layers.js"), .embedInCode("Web/pages/panel.js"),
                .embedInCode("Web/pages/measurements.js"), .embedInCode("Web/pages/columns.js"),
                .embedInCode("Web/pages/recording.js"), .embedInCode("Web/pages/chart.js"),
                .embedInCode("Web/pages/files.js"), .embedInCode("Web/pages/compare.html"),
                .embedInCode("Web/pages/compare.js"), .embedInCode("Web/pages/summary.js"),
                .embedInCode("Web/pages/publish.html"), .embedInCode("Web/pages/publish.js"),
                .embedInCode("Web/pages/signaling.js"), .embedInCode("Web/pages/style.css"),
                .embedInCode("Web/pages/icon.svg"), .embedInCode("Web/pages/where.js"),
            ],
            swiftSettings: settings),

        .target(
            name: "NodeCommand", dependencies: ["ControlPlane", argumentParser, logging], swiftSettings: settings),
        .executableTarget(
            name: "origin", dependencies: ["NodeCommand", "ControlPlane", argumentParser], swiftSettings: settings),
        .executableTarget(
            name: "edge", dependencies: ["NodeCommand", "ControlPlane", argumentParser], swiftSettings: settings),
        .executableTarget(
            name: "probe",
            dependencies: ["ControlPlane", "MediaPlane", "Forwarding", "WebRTC", argumentParser, logging],
            swiftSettings: settings),

        .testTarget(name: "WebRTCTests", dependencies: ["WebRTC", "COpenSSL", "CSRTP"], swiftSettings: settings),
        .testTarget(name: "RoutingTests", dependencies: ["Routing", "WebRTC"], swiftSettings: settings),
        .testTarget(name: "ForwardingTests", dependencies: ["Forwarding", "WebRTC"], swiftSettings: settings),
        // make bench: the fan-out against the least that C needs.
        .target(
            name: "BenchmarkFloor", path: "Tests/BenchmarkFloor", linkerSettings: [.linkedLibrary("crypto")]),
        .executableTarget(
            name: "fanout-bench", dependencies: ["BenchmarkFloor", "MediaPlane", "Forwarding", "WebRTC"],
            path: "Tests/Benchmark", swiftSettings: settings),

        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "Simulation", dependencies: ["Forwarding", "WebRTC", "AllocationCounter"], swiftSettings: settings),
        fuzz,
        .testTarget(
            name: "MediaPlaneTests", dependencies: ["MediaPlane", "Forwarding", "WebRTC", "CLinux", logging],
            swiftSettings: settings),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "ControlPlane", "Routing", "MediaPlane", "Forwarding", "WebRTC", "CCurl", "COpenSSL", "probe",
                argumentParser,
                logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
