import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// What one sandbox writes, as another and the next one on the same ids see it.
@Suite struct NeighbourFilesTests {
    private static let places = ["/", "/etc", "/tmp", "/dev/shm", "/usr/local", "/srv/tree"]

    /// That they are there to be found is shown by the host's root, who looks from inside of the first.
    @Test func nobodyFindsAnothersUpperLayer() throws {
        let marker = "marker-\(UInt64.random(in: 0...UInt64.max))"
        let write = "for place in \(Self.places.joined(separator: " ")); do echo x >$place/\(marker); done; echo ready"
        let find = "find / /proc/[0-9]*/root/ /proc/[0-9]*/cwd/ -name '\(marker)' 2>/dev/null | wc -l"
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("file", "content")]))
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/srv/tree", isFile: false)
            let process = try #require(launcher.process)
            let known = try process.idleState().children
            let first = try launcher.start(.test("/bin/sh", "-c", "\(write); sleep 600", id: "first", mounts: [mount]))
            try launcher.waitForOutput("first", atLeast: 6)
            let pid = try #require(try LauncherState(of: process).children.first { !known.contains($0) })
            let seen = Self.places.map { "\($0)/\(marker)" }
            try Command.run(["/usr/bin/nsenter", "-t", pid, "--mount", "/usr/bin/stat", "--format=%n"] + seen)
            let look = { (id: String) in
                try launcher.run(.test("/bin/sh", "-c", find, id: id, mounts: [mount])).text
            }
            #expect(try look("beside") == "0\n")
            try launcher.send(.cancel(id: "first", graceMs: 0))
            _ = try launcher.finish("first", first)
            _ = try process.idleState()
            #expect(try look("after") == "0\n")
        }
    }

    /// No archive makes one, so the host's root puts it there, for whom it opens.
    @Test func aDeviceNodeThatAnImageShipsDoesNotOpen() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("file", "content")]))
            let node = "\(try #require(launcher.process).dataDirectory)/layers/tree/null"
            let null = dev_t(1 << 8 | 3)
            try systemCall("mknod \(node)") { mknod(node, S_IFCHR | 0o666, null) }
            try systemCall("chmod \(node)") { chmod(node, 0o666) }
            try FileDescriptor.open(node, O_RDONLY).readAll(limit: 1)
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/srv/tree", isFile: false)
            for (user, capabilities) in [("0", SandboxPlan.CapabilityProfile.run), ("1000", .run), ("0", .build)] {
                let script = "ls -l /srv/tree/null | cut -c1; cat </srv/tree/null"
                let done = try launcher.run(
                    .test("/bin/sh", "-c", script, user: user, mounts: [mount], capabilities: capabilities))
                #expect(done.text == "c\n" && done.errorText.contains("Permission denied"), "\(done.errorText)")
                #expect(done.report.end != .exited(code: 0))
            }
        }
    }
}
