import CLinux
import Glibc

/// Calls that change the machine. Each is made so that it would change nothing where it is let through.
enum MachineProbes {
    private static let wall: [Protection] = [.seccomp, .capabilities, .userNamespace]

    static let all: [Probe] =
        [
            Probe("init-module", .kernel, "load a kernel module", behind: wall) { _ in
                "".withAddress { Answer(__NR_init_module, 0, 0, $0).refusal("init_module") }
            },
            Probe("finit-module", .kernel, "load a kernel module from a file", behind: wall) { _ in
                "".withAddress { Answer(__NR_finit_module, -1, $0, 0).refusal("finit_module") }
            },
            Probe("delete-module", .kernel, "unload a kernel module", behind: wall) { _ in
                "sandpool_no_such_module".withAddress {
                    Answer(__NR_delete_module, $0, Int(O_NONBLOCK)).refusal("delete_module")
                }
            },
            Probe("kexec", .kernel, "start another kernel", behind: wall) { _ in
                // More segments than there may be.
                Answer(__NR_kexec_load, 0, 1 << 20, 0, 0).refusal("kexec_load")
            },
            Probe("reboot", .kernel, "restart the machine", behind: wall) { _ in
                // Without the magic numbers (reboot(2)).
                Answer(__NR_reboot, 0, 0, 0, 0).refusal("reboot")
            },
            Probe("kernel-log", .kernel, "read the kernel's log by syslog(2)", behind: wall) { _ in
                // SYSLOG_ACTION_CONSOLE_LEVEL with no such level.
                Answer(__NR_syslog, 8, 0, 99).refusal("syslog")
            },
            Probe("clock", .kernel, "set the clock", behind: wall) { _ in clock() },
            Probe("hostname", .kernel, "change the host name", behind: [.seccomp, .capabilities]) { _ in
                Answer(of: sethostname("probe", 5)).outcome("sethostname")
            },
            Probe("accounting", .kernel, "switch process accounting off", behind: wall) { _ in
                "/sandpool/no/such/file".withAddress { Answer(__NR_acct, $0).refusal("acct") }
            },
            Probe("swap", .kernel, "add swap", behind: wall) { _ in
                "/sandpool/no/such/file".withAddress { Answer(__NR_swapon, $0, 0).refusal("swapon") }
            },
            Probe("real-time", .kernel, "take a processor for itself", behind: wall) { _ in
                // SCHED_FIFO at priority 1, in a child that ends.
                withMemory(8, [0: 1]) {
                    Answer(__NR_sched_setscheduler, 0, 1, $0).outcome("sched_setscheduler SCHED_FIFO")
                }
            },
            Probe("priority", .kernel, "go before other processes", behind: wall) { _ in
                Answer(__NR_setpriority, 0, 0, -5).outcome("setpriority -5")
            },
            Probe("type-into-terminal", .kernel, "type into the terminal it was started from", behind: [.seccomp]) {
                _ in
                terminal()
            },
        ] + ofThisArchitecture

    /// Sets the tick (adjtimex(2), ADJ_TICK) to what it is.
    private static func clock() -> Outcome {
        withMemory(208) { timex in
            let asked = Answer(__NR_adjtimex, timex)
            guard asked.code == 0 else { return asked.outcome("adjtimex") }
            let modes = UnsafeMutablePointer<UInt32>(bitPattern: timex)
            modes?.pointee = 0x4000
            return Answer(__NR_adjtimex, timex).outcome("adjtimex ADJ_TICK")
        }
    }

    /// TIOCSTI on a terminal of its own.
    private static func terminal() -> Outcome {
        let main = open("/dev/ptmx", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard main >= 0 else { return .notRun("/dev/ptmx: \(Answer.text(errno))") }
        defer { close(main) }
        // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)).
        let number = withMemory(8) { memory in
            _ = Answer(__NR_ioctl, Int(main), 0x4004_5431, memory)
            return Answer(__NR_ioctl, Int(main), 0x8004_5430, memory).code == 0
                ? UnsafePointer<Int32>(bitPattern: memory)?.pointee : nil
        }
        guard let number else { return .notRun("the terminal has no name") }
        // The end of the terminal is the end of its session.
        signal(SIGHUP, SIG_IGN)
        setsid()
        let side = open("/dev/pts/\(number)", O_RDWR | O_CLOEXEC)
        guard side >= 0 else { return .notRun("/dev/pts/\(number): \(Answer.text(errno))") }
        defer { close(side) }
        return withMemory(8, [0: 0x20]) { Answer(__NR_ioctl, Int(side), 0x5412, $0).outcome("ioctl TIOCSTI") }
    }

    #if arch(x86_64)
        private static let ofThisArchitecture: [Probe] = [
            Probe("io-ports", .kernel, "reach hardware by its ports", behind: wall) { _ in
                Answer(__NR_ioperm, 0x80, 1, 1).outcome("ioperm")
            }
        ]
    #else
        private static let ofThisArchitecture: [Probe] = []
    #endif
}
