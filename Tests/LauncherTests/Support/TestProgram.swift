import Foundation
import LinuxSystem
import SandpoolSandbox

/// A C program of `Programs`, compiled for a test and put into its sandboxes as an uploaded tree. Static: a sandbox may
/// have no C library.
struct TestProgram {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Programs")
    /// Where it is in a sandbox.
    static let path = "/srv/test/bin/program"

    let file: URL

    /// By the C compiler that comes with Swift's.
    init(_ source: String) throws {
        file = FileManager.default.temporaryDirectory.appending(path: "sandpool-\(source)-\(UUID().uuidString)")
        let code = Self.folder.appending(path: "\(source).c").path
        try Command.run(["/usr/bin/env", "clang", "-Wall", "-O1", "-static", "-o", file.path, code])
    }

    func remove() { try? FileManager.default.removeItem(at: file) }

    /// The mount of it that a plan needs.
    func mount(for launcher: LauncherClient) throws -> SandboxPlan.TreeMount {
        try launcher.importLayer("program", try Archive.make([], program: try Data(contentsOf: file)))
        return SandboxPlan.TreeMount(layer: "program", path: "/srv/test", isFile: false)
    }
}
