import CLinux
import Glibc

/// Attacks on the sandbox's first process, which is the launcher's own: it reaps the command and tells how it ended.
enum FirstProcessProbes {
    private static let wall: [Protection] = [.seccomp, .capabilities, .userNamespace]

    /// The mount namespace has the `/proc` in which its number outside shows.
    private static let outside: [Protection] = [.pidNamespace, .mountNamespace]

    static let all: [Probe] = [
        Probe("first-trace", .processes, "trace pid 1", behind: wall) { around in
            // PTRACE_SEIZE, which stops nothing; a tracer that ends lets go.
            Answer(__NR_ptrace, 0x4206, Int(around.firstPID)).outcome("ptrace PTRACE_SEIZE")
        },
        Probe("first-memory-call", .processes, "read pid 1's memory by process_vm_readv(2)", behind: wall) { around in
            readMemory(of: around.firstPID)
        },
        Probe("first-descriptor", .processes, "take a descriptor of pid 1", behind: wall) { around in
            let process = CLinux_pidfd_open(around.firstPID)
            guard process >= 0 else { return .held("pidfd_open: \(Answer.text(errno))") }
            return Answer(__NR_pidfd_getfd, Int(process), 0, 0).outcome("pidfd_getfd")
        },
        Probe("first-memory", .processes, "open pid 1's memory", behind: wall) { around in
            let path = "/proc/\(around.firstPID)/mem"
            return Answer(of: open(path, O_RDONLY | O_CLOEXEC)).outcome("open \(path)")
        },
        Probe("first-maps", .processes, "read pid 1's layout", behind: wall) { around in
            Place.reading("/proc/\(around.firstPID)/maps")
        },
        Probe("first-environment", .processes, "read pid 1's environment", behind: wall) { around in
            let path = "/proc/\(around.firstPID)/environ"
            return Answer(of: open(path, O_RDONLY | O_CLOEXEC)).outcome("open \(path)")
        },
        Probe("first-files", .processes, "list pid 1's open files", behind: wall) { around in
            let names = Place.names("/proc/\(around.firstPID)/fd")
            return names.isEmpty ? .held("/proc/\(around.firstPID)/fd cannot be listed") : .through("it has \(names)")
        },
        Probe("first-stop", .processes, "stop pid 1, so that nobody reaps", behind: outside) { around in
            signalFirst(SIGSTOP, around.firstPID)
        },
        Probe("first-kill", .processes, "kill pid 1", behind: outside) { around in
            signalFirst(SIGKILL, around.firstPID)
        },
        Probe("forged-signal", .processes, "have pid 1 act as if the launcher had asked", behind: outside) { around in
            forgeSignal(to: around.firstPID)
        },
        Probe("others-in-sight", .processes, "see processes of the host", behind: [.mountNamespace, .pidNamespace]) {
            _ in
            others()
        },
    ]

    /// Nothing is mapped at address 4096: a refusal comes before the kernel finds that out.
    private static func readMemory(of pid: Int32) -> Outcome {
        withMemory(16) { target in
            withMemory(16, [0: UInt64(target), 8: 8]) { local in
                withMemory(16, [0: 4_096, 8: 8]) { remote in
                    Answer(__NR_process_vm_readv, Int(pid), local, 1, remote, 1, 0).refusal("process_vm_readv")
                }
            }
        }
    }

    /// Signals that a namespace's own members send to its pid 1 are dropped (pid_namespaces(7)), which looks like
    /// success. Whether the signal took is seen from what pid 1 is afterwards.
    private static func signalFirst(_ signal: Int32, _ pid: Int32) -> Outcome {
        let answer = Answer(of: kill(pid, signal))
        guard answer.code == 0 else { return answer.outcome("kill \(pid)") }
        if PostureProbes.status("State", of: "\(pid)") == nil, pid == 1 { return .notRun("/proc is not there") }
        // From outside of the namespace its number is another one; there it is sent, and takes a moment.
        let tries = pid == 1 ? 1 : patienceMs
        for _ in 0..<tries {
            if let state = endedState(of: pid) { return .through("signal \(signal) was sent, and it is \(state)") }
            poll(nil, 0, 1)
        }
        return .held("signal \(signal) was dropped")
    }

    /// Stopped, a zombie, or dead (proc_pid_status(5)).
    private static let ended: Set<String> = ["T", "t", "Z", "X"]

    /// What it is when it runs no more; nil while it does.
    private static func endedState(of pid: Int32) -> String? {
        guard let state = PostureProbes.status("State", of: "\(pid)") else { return pid == 1 ? nil : "gone" }
        return ended.contains(state) ? state : nil
    }

    /// How long others get to do their part, on a busy host.
    private static let patienceMs = 2_000

    /// The launcher asks pid 1 by a signal that it sends from outside, where its sender shows as 0. Tried: the plain
    /// signal, and signals with every code that such a sender has or could have, and with 0 for the sender
    /// (rt_sigqueueinfo(2)).
    private static func forgeSignal(to pid: Int32) -> Outcome {
        SignalWatch.reset()
        signal(SIGUSR2) { _ in SignalWatch.note() }
        var outcomes = [forged(SIGUSR2, to: pid, Answer(of: kill(pid, SIGUSR2)), "kill")]
        for (number, code) in [(SIGUSR1, -1), (SIGUSR2, -1), (SIGUSR2, 0), (SIGUSR1, -6)] as [(Int32, Int32)] {
            // siginfo_t: the number, the code at 8, the sender at 16, a value at 24.
            let information: [Int: UInt64] = [
                0: UInt64(UInt32(number)), 8: UInt64(UInt32(bitPattern: code)), 24: UInt64(SIGUSR2),
            ]
            let answer = withMemory(128, information) { Answer(__NR_rt_sigqueueinfo, Int(pid), Int(number), $0) }
            outcomes.append(forged(number, to: pid, answer, "rt_sigqueueinfo"))
        }
        return .first(of: outcomes)
    }

    /// Passed on, the signal reaches the command and its children, of which this process is one; and it ends a
    /// command that does not know it, with which pid 1 ends.
    private static func forged(_ number: Int32, to pid: Int32, _ answer: Answer, _ call: String) -> Outcome {
        guard answer.code == 0 else { return answer.outcome(call) }
        waitUntilTaken(number, by: pid)
        let hasActed = SignalWatch.count > 0 || endedState(of: pid) != nil
        return hasActed ? .through("pid 1 passed it on") : .held("pid 1 did not pass it on")
    }

    /// Waits until a signal is pending no more (SigPnd and ShdPnd of proc_pid_status(5)), and a moment longer for what
    /// pid 1 does then.
    private static func waitUntilTaken(_ number: Int32, by pid: Int32) {
        for _ in 0..<patienceMs {
            let sets = ["SigPnd", "ShdPnd"].compactMap { PostureProbes.status($0, of: "\(pid)") }
            if !sets.contains(where: { UInt64($0, radix: 16).map { $0 >> UInt64(number - 1) & 1 == 1 } ?? false }) {
                break
            }
            poll(nil, 0, 1)
        }
        let tries = pid == 1 ? 10 : patienceMs
        for _ in 0..<tries where SignalWatch.count == 0 && endedState(of: pid) == nil { poll(nil, 0, 1) }
    }

    private static func others() -> Outcome {
        // A sandbox holds pid 1, the probe program and its child; the host has the kernel's own threads.
        let count = Place.names("/proc").count { Int32($0) != nil }
        return count <= 8 ? .held("there are \(count)") : .through("there are \(count)")
    }
}

/// A count that a signal handler can reach.
private enum SignalWatch {
    nonisolated(unsafe) private static var seen: sig_atomic_t = 0
    static func reset() { seen = 0 }
    static func note() { seen += 1 }
    static var count: Int { Int(seen) }
}
