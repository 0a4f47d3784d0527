import Foundation
import Testing

/// The profile in `deploy`, by the parser that hosts with such a restriction have.
@Suite(.enabled(if: AppArmorParser.found != nil, "no apparmor_parser of version 4 with abi/4.0 is here"))
struct AppArmorProfileTests {
    private static let profile = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../deploy/apparmor/sandpool-launcher")

    @Test func itGivesTheLauncherUserNamespaces() throws {
        let parser = try #require(AppArmorParser.found)
        let text = try String(contentsOf: Self.profile, encoding: .utf8)
        let policy = try parser.compile(text)
        // A rule that the parser takes and the kernel never gets would be as good as none.
        try #expect(policy != parser.compile(text.replacing("  userns,\n", with: "")))
        #expect(throws: (any Error).self) { try parser.compile(text.replacing("userns,", with: "no such rule,")) }
    }
}

/// apparmor_parser(8). Where the host's is older, `SANDPOOL_APPARMOR` names the root of an unpacked Debian package of
/// it (dpkg-deb -x), in which an executable `run-parser` may start it with the libraries that it needs.
struct AppArmorParser {
    let program: String
    let base: String

    static let found: AppArmorParser? = {
        let root = ProcessInfo.processInfo.environment["SANDPOOL_APPARMOR"] ?? ""
        let base = "\(root)/etc/apparmor.d"
        let loader = "\(root)/run-parser"
        let hasLoader = FileManager.default.isExecutableFile(atPath: loader)
        let program = hasLoader ? loader : "\(root)/usr/sbin/apparmor_parser"
        guard FileManager.default.isExecutableFile(atPath: program),
            FileManager.default.fileExists(atPath: "\(base)/abi/4.0")
        else { return nil }
        return AppArmorParser(program: program, base: base)
    }()

    struct Refused: Error {}

    /// What a kernel that restricts user namespaces would be given; nothing is loaded.
    func compile(_ profile: String) throws -> Data {
        let directory = FileManager.default.temporaryDirectory.appending(path: "apparmor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "profile")
        try Data(profile.utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [
            "--skip-kernel-load", "--skip-cache", "--base", base, "--kernel-features", "\(base)/abi/4.0", "--stdout",
            file.path,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let policy = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0, !policy.isEmpty else { throw Refused() }
        return policy
    }
}
