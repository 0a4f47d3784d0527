// swift-tools-version: 6.1
import PackageDescription

/// The launcher is one fully static, single-threaded program (Docs/architecture.md): it starts in
/// under a millisecond and may clone safely because no runtime thread exists beside it.
let fullyStatic: [String] = ["-static-executable"]

/// The command line starts once for every `sandpool run`: linked at a fixed address it has no relocations
/// to work through first, which were most of its start-up time.
let fixedAddress: [String] = ["-Xclang-linker", "-no-pie", "-Xlinker", "--no-export-dynamic"]

let package = Package(
    name: "sandpool",
    products: [
        .library(name: "Sandpool", targets: ["Sandpool"]),
        .executable(name: "sandpool", targets: ["sandpool"]),
        .executable(name: "sandpool-launcher", targets: ["sandpool-launcher"]),
        .executable(name: "sandpool-probe", targets: ["sandpool-probe"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Layer 0: what Swift cannot call.
        .target(name: "CLinux"),
        // Layer 1: values without I/O, and typed system calls.
        .target(name: "SandpoolModel"),
        .target(name: "LinuxSystem", dependencies: ["CLinux"]),
        // Layer 2: one subject each.
        .target(
            name: "SandpoolStore",
            dependencies: ["SandpoolModel", .product(name: "GRDB", package: "GRDB.swift")],
            exclude: ["Schema/schema.sql"]),
        .target(name: "SandpoolSandbox", dependencies: ["CLinux", "LinuxSystem"]),
        .target(name: "SandpoolProbes", dependencies: ["CLinux", "LinuxSystem"]),
        .target(
            name: "SandpoolAPI",
            dependencies: ["SandpoolModel", .product(name: "NIOCore", package: "swift-nio")]),
        // Layer 3: the client library and the two services.
        .target(
            name: "Sandpool",
            dependencies: [
                "SandpoolModel", "SandpoolAPI",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .target(
            name: "SandpoolCoordinator",
            dependencies: [
                "SandpoolModel", "SandpoolStore", "SandpoolAPI",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "SandpoolWorker",
            dependencies: [
                "SandpoolModel", "SandpoolProbes", "SandpoolSandbox", "SandpoolAPI", "LinuxSystem",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        // Layer 4: one file per verb.
        .target(
            name: "SandpoolCommands",
            dependencies: [
                "Sandpool", "SandpoolCoordinator", "SandpoolWorker", "LinuxSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        // Layer 5: mains of a few lines.
        .executableTarget(
            name: "sandpool", dependencies: ["SandpoolCommands"],
            linkerSettings: [.unsafeFlags(fixedAddress, .when(configuration: .release))]),
        .executableTarget(
            name: "sandpool-launcher",
            dependencies: ["CLinux", "LinuxSystem", "SandpoolSandbox"],
            swiftSettings: [.unsafeFlags(fullyStatic)],
            linkerSettings: [.unsafeFlags(fullyStatic)]),
        // Runs inside sandboxes, whatever their image is: it needs nothing beside itself.
        .executableTarget(
            name: "sandpool-probe", dependencies: ["SandpoolProbes"],
            swiftSettings: [.unsafeFlags(fullyStatic)],
            linkerSettings: [.unsafeFlags(fullyStatic)]),
        // What a user's program looks like. Built with the rest, so that it goes on to compile.
        .executableTarget(name: "RunTests", dependencies: ["Sandpool"], path: "Examples/RunTests/Sources/RunTests"),
        // Layer T: fixtures and fakes for tests.
        .target(
            name: "SandpoolTestSupport",
            dependencies: [
                "LinuxSystem", "SandpoolAPI", "SandpoolCoordinator", "SandpoolModel", "SandpoolSandbox",
                "SandpoolStore", "SandpoolWorker", .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: ["Sandbox/system-calls.txt"]),
        // Tests, by layer. None depends on the launcher's executable: a dynamic test bundle cannot link it.
        .executableTarget(
            name: "SandboxNetworkTestHost", dependencies: ["LinuxSystem", "SandpoolSandbox"],
            path: "Tests/SandboxNetworkTestHost"),
        .executableTarget(name: "Simulate", dependencies: ["SandpoolTestSupport"], path: "Tests/Simulate"),
        .testTarget(
            name: "AcceptanceTests", dependencies: ["SandpoolModel", "SandpoolTestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "LinuxSystem", "SandpoolCommands", "SandpoolModel", "SandpoolTestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["Snapshots"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Sandpool", "SandpoolCoordinator", "SandpoolModel", "SandpoolTestSupport", "SandpoolWorker",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "LinuxSystem", "SandpoolAPI", "SandpoolModel", "SandpoolSandbox", "SandpoolTestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "SandboxNetworkTests", dependencies: ["SandboxNetworkTestHost", "SandpoolSandbox"],
            exclude: ["Peers"]),
        .testTarget(name: "SandpoolAPITests", dependencies: ["SandpoolAPI", "SandpoolModel", "SandpoolTestSupport"]),
        .testTarget(
            name: "SandpoolCoordinatorTests",
            dependencies: [
                "SandpoolCoordinator", "SandpoolAPI", "SandpoolModel", "SandpoolStore", "SandpoolTestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "SandpoolModelTests", dependencies: ["SandpoolModel"]),
        .testTarget(
            name: "SandpoolStoreTests",
            dependencies: [
                "SandpoolModel", "SandpoolStore", "SandpoolTestSupport", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "SandpoolWorkerTests",
            dependencies: [
                "LinuxSystem", "SandpoolAPI", "SandpoolModel", "SandpoolSandbox", "SandpoolWorker",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "LauncherTests",
            dependencies: ["LinuxSystem", "SandpoolProbes", "SandpoolSandbox", "SandpoolTestSupport"],
            exclude: ["Programs"]),
        .testTarget(name: "LinuxSystemTests", dependencies: ["LinuxSystem"]),
        .testTarget(
            name: "SandpoolSandboxTests", dependencies: ["LinuxSystem", "SandpoolSandbox", "SandpoolTestSupport"]),
        .testTarget(
            name: "SandpoolTests",
            dependencies: [
                "LinuxSystem", "Sandpool", "SandpoolAPI", "SandpoolModel",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["SandpoolAPI", "SandpoolModel", "SandpoolTestSupport"]),
        .testTarget(name: "StyleTests"),
    ],
    swiftLanguageModes: [.v6]
)
