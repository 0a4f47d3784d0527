// swift-tools-version: 6.1
import PackageDescription

/// The decoders and the properties that `Tests/FuzzTests` holds them to, once more, instrumented for libFuzzer
/// (https://llvm.org/docs/LibFuzzer.html). A package of its own, so that the ordinary build carries none of it; the
/// sources are links to the project's own. `make fuzz` builds and runs it.
///
/// `-sanitize=fuzzer` counts edges for the fuzzer, the profile counts regions for the report by file.
let instrumented: [SwiftSetting] = [
    .unsafeFlags(["-sanitize=fuzzer", "-profile-generate", "-profile-coverage-mapping", "-enable-testing"])
]

/// The toolchain's own libFuzzer, without its `main`.
let libFuzzer = Context.environment["LIBFUZZER"] ?? "libclang_rt.fuzzer_no_main.a"

let package = Package(
    name: "fuzz",
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.101.2")],
    targets: [
        .target(name: "CLinux"),
        .target(name: "SandpoolModel", swiftSettings: instrumented),
        .target(name: "LinuxSystem", dependencies: ["CLinux"], swiftSettings: instrumented),
        .target(name: "SandpoolSandbox", dependencies: ["CLinux", "LinuxSystem"], swiftSettings: instrumented),
        .target(
            name: "SandpoolAPI", dependencies: ["SandpoolModel", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: instrumented),
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzzer", "LinuxSystem", "SandpoolAPI", "SandpoolModel", "SandpoolSandbox",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: instrumented,
            linkerSettings: [.unsafeFlags([libFuzzer, "-lstdc++", "-profile-generate"])]),
    ],
    swiftLanguageModes: [.v6]
)
