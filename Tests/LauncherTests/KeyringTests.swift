import Foundation
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// Whoever started the launcher may have keys; no sandbox's process holds on to their keyring.
@Suite struct KeyringTests {
    /// Takes a session keyring of this name (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING) and executes the rest.
    private static let program = """
        import ctypes, os, sys
        library = ctypes.CDLL(None)
        if library.syscall(int(sys.argv[1]), 1, sys.argv[2].encode()) < 0: sys.exit(1)
        os.execv(sys.argv[3], sys.argv[3:])
        """

    @Test func aSandboxHasASessionKeyringOfItsOwn() throws {
        let entry = try #require(SystemCallList().entries.first { $0.name == "keyctl" })
        #if arch(x86_64)
            let number = try #require(entry.x86)
        #else
            let number = try #require(entry.arm)
        #endif
        let name = "sandpool-\(UUID().uuidString)"
        try withLauncher(prefix: ["/usr/bin/python3", "-c", Self.program, "\(number)", name]) { launcher in
            let atRest = try users(of: name, atMost: .max)
            #expect(atRest > 0)
            let started = try launcher.start(.test("/bin/cat", stdin: .pipe))
            // The kernel keeps the launcher's credentials with the overlay that it mounted; pid 1 and the command would
            // be two more. The credentials of a process that has ended are let go a little later.
            let whileItRuns = try users(of: name, atMost: atRest + 1)
            #expect(whileItRuns <= atRest + 1)
            try launcher.send(.cancel(id: "test", graceMs: 0))
            _ = try launcher.finish("test", started)
        }
    }

    /// How many hold a keyring, by the third column of `/proc/keys` (proc_keys(5)), when they have become so few.
    private func users(of name: String, atMost bound: Int) throws -> Int {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(20)
        while true {
            let text = try String(contentsOfFile: "/proc/keys", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.contains(name) })
            let count = try #require(Int(line.split(separator: " ")[2]))
            if count <= bound || clock.now > end { return count }
            sched_yield()
        }
    }
}
