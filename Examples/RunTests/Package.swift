// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "RunTests",
    dependencies: [.package(name: "sandpool", path: "../..")],
    targets: [
        .executableTarget(name: "RunTests", dependencies: [.product(name: "Sandpool", package: "sandpool")])
    ],
    swiftLanguageModes: [.v6]
)
