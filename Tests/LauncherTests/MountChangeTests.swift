import Foundation
import SandpoolSandbox
import Testing

/// What a command wrote to its mounts is gone with it, so somebody has to know that it wrote.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root")) struct MountChangeTests {
    @Test(arguments: [
        ("cat /a/x /b/in/x /f /a/deep/x", 0),
        ("ls -lR /a /b /f; find / -name x", 0),
        ("echo >> /a/x", 1), ("rm /a/x", 1), ("mkdir /a/new", 1), ("ln -s x /a/link", 1), ("chmod 600 /a/x", 1),
        ("touch /a/deep/new", 1),
        ("echo > /b/in/y", 2),
        // As long as before, and at once.
        ("printf HELLO > /f", 4), ("echo more >> /f", 4), ("rm /f", 0),
        ("echo > /b/inner/y", 8),
        ("echo > /a/y; echo > /b/inner/y; echo > /f", 13),
        ("echo > /elsewhere; mkdir /tmp/x", 0),
    ])
    func writesAreSeen(_ script: String, _ expected: UInt64) throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("x", "1"), ("deep/x", "2"), ("in/x", "3")]))
            _ = try launcher.importLayer("file", try Archive.make([("content", "hello")]))
            let mounts = [
                SandboxPlan.TreeMount(layer: "tree", path: "/a", isFile: false),
                // The way to the last mount is made in this one, and is no change of the command's.
                SandboxPlan.TreeMount(layer: "tree", path: "/b", isFile: false),
                SandboxPlan.TreeMount(layer: "file", path: "/f", isFile: true),
                SandboxPlan.TreeMount(layer: "tree", path: "/b/inner", isFile: false),
            ]
            let finished = try launcher.run(.test("/bin/sh", "-c", "\(script); true", mounts: mounts))
            #expect(finished.report.end == .exited(code: 0))
            #expect(finished.report.changedMounts == expected)
        }
    }

    @Test func aFileKeepsItsTime() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("file", try Archive.make([("content", "hello")]))
            let mount = SandboxPlan.TreeMount(layer: "file", path: "/f", isFile: true)
            // The archive says 0.
            try #expect(launcher.run(.test("/usr/bin/stat", "-c", "%Y", "/f", mounts: [mount])).text == "0\n")
        }
    }
}
