import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// The limits that a command finds on itself, and that they hold.
@Suite struct ProcessLimitTests {
    private static let unlimited = rlim_t.max
    private static let expected: [(name: String, kind: ResourceLimit, soft: rlim_t, hard: rlim_t)] = [
        ("CPU", .processorSeconds, unlimited, unlimited), ("FSIZE", .fileBytes, unlimited, unlimited),
        ("DATA", .dataBytes, unlimited, unlimited), ("STACK", .stackBytes, 8 << 20, unlimited),
        ("CORE", .coreBytes, 0, 0), ("NPROC", .processes, unlimited, unlimited),
        ("NOFILE", .openFiles, 65_536, 524_288), ("MEMLOCK", .lockedBytes, 64 << 10, 64 << 10),
        ("AS", .addressBytes, unlimited, unlimited), ("SIGPENDING", .pendingSignals, 1_024, 1_024),
        ("MSGQUEUE", .messageQueueBytes, 819_200, 819_200), ("NICE", .niceness, 0, 0),
        ("RTPRIO", .realtimePriority, 0, 0), ("RTTIME", .realtimeMicroseconds, unlimited, unlimited),
    ]

    @Test func theyAreTheTables() throws {
        try withLauncher { launcher in
            let script = """
                import resource, sys
                for name in sys.argv[1:]:
                    print(name, *[limit % 2**64 for limit in resource.getrlimit(getattr(resource, 'RLIMIT_' + name))])
                """
            var plan = SandboxPlan.test("/usr/bin/python3", "-c", script)
            plan.arguments += Self.expected.map(\.name)
            let finished = try launcher.run(plan)
            let pid = try #require(launcher.process).pid
            let lines = try Self.expected.map { entry in
                // A lower hard limit of the launcher's stays.
                let most = try Self.hardLimit(of: pid, entry.kind)
                return "\(entry.name) \(min(entry.soft, entry.hard, most)) \(min(entry.hard, most))\n"
            }
            #expect(finished.text == lines.joined(), "\(finished.errorText)")
        }
    }

    /// `/proc/PID/limits` has them in the order of their numbers, the hard one in columns 47 to 67.
    private static func hardLimit(of pid: pid_t, _ kind: ResourceLimit) throws -> rlim_t {
        let table = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
        let line = table.split(separator: "\n")[Int(kind.rawValue) + 1]
        let word = line.dropFirst(47).prefix(20).filter { $0 != " " }
        if word == "unlimited" { return unlimited }
        return try #require(rlim_t(word))
    }

    /// Signals that wait are counted for the launcher's user too: one sandbox must not take those of all.
    @Test func aSignalFloodEnds() throws {
        try withLauncher { launcher in
            let script = """
                import signal, os, ctypes
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
                libc = ctypes.CDLL(None, use_errno=True)
                n = 0
                while libc.sigqueue(os.getpid(), signal.SIGRTMIN, None) == 0: n += 1
                print(n <= 1024, n > 900, ctypes.get_errno())
                """
            try #expect(launcher.run(.test("/usr/bin/python3", "-c", script)).text == "True True 11\n")
        }
    }

    @Test func descriptorsEnd() throws {
        try withLauncher { launcher in
            let script = """
                import os, resource
                resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
                files = []
                try:
                    while True: files.append(os.dup(0))
                except OSError as e: print(len(files), e.errno)
                try: resource.setrlimit(resource.RLIMIT_NOFILE, (101, 101))
                except ValueError: print("stays")
                """
            try #expect(launcher.run(.test("/usr/bin/python3", "-c", script)).text == "97 24\nstays\n")
        }
    }
}
