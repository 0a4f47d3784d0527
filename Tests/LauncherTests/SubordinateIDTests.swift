import Foundation
import SandpoolSandbox
import Testing

/// The launcher of an ordinary user for whom the host set ids aside.
@Suite(
    .enabled(if: geteuid() == 0, "only root can become somebody else"),
    .enabled(if: access("/usr/bin/newuidmap", X_OK) == 0, "uidmap is not installed"))
struct SubordinateIDTests {
    private static let user: uid_t = 54_321

    /// The account and its ranges are in a mount namespace that nobody else sees.
    private func withLauncherOfUser(
        ranges: String = "tester:300000:65536", _ body: (LauncherClient) throws -> Void
    ) throws {
        let script = """
            set -e; files=$(mktemp -d); mount -t tmpfs none "$files"
            cat /etc/passwd - > "$files/passwd" <<END
            tester:x:\(Self.user):\(Self.user)::/:/bin/sh
            END
            printf '%s\\n' '\(ranges)' > "$files/ranges"
            mount --bind "$files/passwd" /etc/passwd
            for name in subuid subgid; do [ -e "/etc/$name" ] && mount --bind "$files/ranges" "/etc/$name"; done
            umount -l "$files"; rmdir "$files"
            exec setpriv --reuid \(Self.user) --regid \(Self.user) --clear-groups "$@"
            """
        try withLauncher(
            prefix: ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh"],
            owner: Self.user, body)
    }

    private func shell(_ script: String, user: String = "0") -> SandboxPlan {
        var plan = SandboxPlan.test("/bin/sh", "-c", script, user: user, capabilities: .build)
        plan.leavesOutLimits = true
        return plan
    }

    @Test func everyUserOfAnImageIsThere() throws {
        try withLauncherOfUser { launcher in
            let map = try launcher.run(shell("cat /proc/self/uid_map; echo; cat /proc/self/gid_map")).text
            #expect(
                map.split(separator: "\n").map { $0.split(separator: " ") } == [
                    ["0", "0", "1"], ["1", "1", "65535"], ["0", "0", "1"], ["1", "1", "65535"],
                ])
            try #expect(launcher.run(shell("id -u; id -G", user: "www-data")).text == "33\n33\n")
            try #expect(launcher.run(shell("id -u", user: "65535")).text == "65535\n")
            let script = "touch /tmp/x && chown 1000:5 /tmp/x && stat -c %u:%g /tmp/x /dev/pts/ptmx"
            try #expect(launcher.run(shell(script)).text.hasPrefix("1000:5\n"))
        }
    }

    @Test func filesOnDiskAreOfTheRange() throws {
        try withLauncherOfUser { launcher in
            let archive = try Archive.make([("file", "x")])
            #expect(fchown(archive.raw, Self.user, Self.user) == 0)
            try launcher.importLayer("one", archive)
            let data = try #require(launcher.process).dataDirectory
            var status = stat()
            #expect(stat("\(data)/layers/one/file", &status) == 0)
            #expect(status.st_uid == Self.user)
        }
    }

    /// A range that newgidmap refuses, since it is another's, leaves one id.
    @Test(arguments: ["somebody:300000:65536", "tester:300000:1000", "nonsense"])
    func withoutARangeOfHisOwnHeHasOneID(_ ranges: String) throws {
        try withLauncherOfUser(ranges: ranges) { launcher in
            try #expect(launcher.run(shell("id -u")).text == "0\n")
            try #expect(launcher.failure(of: shell("id", user: "33")).stage == "user")
        }
    }
}
