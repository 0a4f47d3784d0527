import Foundation
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// The filter of a real sandbox, asked by the kernel itself about every number and about the arguments that count.
@Suite struct SystemCallTests {
    private static let numbers: [UInt32] =
        Array(0...1_000) + Array(0x4000_0000...0x4000_0250) + [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, .max]

    @Test(arguments: [SandboxPlan.CapabilityProfile.run, .build])
    func everyNumberIsAsTheListSays(profile: SandboxPlan.CapabilityProfile) throws {
        let listed = try SystemCallList().numbered(x86: isX86)
        let verdicts = try verdicts(of: Self.numbers.map { "\($0)" }, profile)
        #expect(verdicts.count == Self.numbers.count)
        var allowed = 0
        for (number, verdict) in zip(Self.numbers, verdicts) {
            let entry = listed[number]
            let expected = entry.map { profile == .run ? $0.run : $0.build } ?? "ENOSYS"
            switch expected {
            case "args": continue
            case "allow" where ["uprobe", "uretprobe"].contains(entry?.name):
                // A newer kernel lets these by every filter (kernel/seccomp.c), and has its own answer for who calls
                // them for no reason.
                #expect(["allow", "signal \(SIGILL)", "errno \(ENXIO)"].contains(verdict), "\(number)")
            case "allow":
                allowed += 1
                #expect(verdict == "allow", "\(number) \(entry?.name ?? "")")
            case "EPERM": #expect(verdict == "errno \(EPERM)", "\(number) \(entry?.name ?? "")")
            default: #expect(verdict == "errno \(ENOSYS)", "\(number) \(entry?.name ?? "")")
            }
        }
        #expect(allowed > 200)
    }

    /// Call by name, arguments, and what comes of it in the run profile.
    private static let judged: [(name: String, arguments: String, verdict: String)] = [
        ("clone", "17", "allow"), ("clone", "0x3d0f00", "allow"),
        ("socket", "1,1,0", "allow"), ("socket", "1,5,0", "allow"), ("socket", "2,0x80801,6", "allow"),
        ("socket", "2,2,17", "allow"), ("socket", "10,1,0", "allow"), ("socket", "10,2,58", "allow"),
        ("socket", "16,3,0", "allow"),
        // XFRM, NETFILTER, AUDIT and GENERIC netlink.
        ("socket", "16,3,6", "errno \(EPROTONOSUPPORT)"), ("socket", "16,3,12", "errno \(EPROTONOSUPPORT)"),
        ("socket", "16,3,9", "errno \(EPROTONOSUPPORT)"), ("socket", "16,3,16", "errno \(EPROTONOSUPPORT)"),
        // MPTCP, SCTP, DCCP, UDP-Lite; raw.
        ("socket", "2,1,262", "errno \(EPROTONOSUPPORT)"), ("socket", "10,1,132", "errno \(EPROTONOSUPPORT)"),
        ("socket", "2,5,132", "errno \(ESOCKTNOSUPPORT)"), ("socket", "2,6,0", "errno \(ESOCKTNOSUPPORT)"),
        ("socket", "2,2,136", "errno \(EPROTONOSUPPORT)"), ("socket", "2,3,1", "errno \(EPERM)"),
        ("socketpair", "1,1,0,0", "allow"), ("socketpair", "30,1,0,0", "errno \(EAFNOSUPPORT)"),
        ("ioctl", "0,0x5413,0", "allow"),
        // TIOCSTI, TIOCLINUX, TIOCCONS and TIOCSETD; high bits that the kernel does not look at hide nothing.
        ("ioctl", "0,0x5412,0", "errno \(EPERM)"), ("ioctl", "0,0x541c,0", "errno \(EPERM)"),
        ("ioctl", "0,0x541d,0", "errno \(EPERM)"), ("ioctl", "0,0x5423,0", "errno \(EPERM)"),
        // FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR.
        ("ioctl", "0,0x40086602,0", "errno \(EOPNOTSUPP)"), ("ioctl", "0,0x40046602,0", "errno \(EOPNOTSUPP)"),
        ("ioctl", "0,0x401c5820,0", "errno \(EOPNOTSUPP)"), ("ioctl", "0,0x80086601,0", "allow"),
        ("ioctl", "0,0x100005412,0", "errno \(EPERM)"), ("socket", "0x100000028,1,0", "errno \(EAFNOSUPPORT)"),
        ("clone", "0x110000011", "errno \(EPERM)"),
        ("personality", "0", "allow"), ("personality", "0xffffffff", "allow"), ("personality", "8", "allow"),
        ("personality", "0x40000", "errno \(EPERM)"), ("personality", "0x400000", "errno \(EPERM)"),
        ("mknodat", "-100,0,0x1180,0", "allow"), ("mknodat", "-100,0,0x2180,0x103", "errno \(EPERM)"),
        ("mknodat", "-100,0,0x6180,0x800", "errno \(EPERM)"),
    ]

    @Test func argumentsAreLookedAt() throws {
        var cases = Self.judged
        // Each namespace by itself, and each family but UNIX, INET, INET6 and NETLINK.
        for bit in [17, 25, 26, 27, 28, 29, 30] {
            cases.append(("clone", "\(17 | 1 << bit)", "errno \(EPERM)"))
        }
        for family in Array(0...64) + [255, 65_537] where ![1, 2, 10, 16].contains(family) {
            for kind in [1, 2, 3, 5] { cases.append(("socket", "\(family),\(kind),0", "errno \(EAFNOSUPPORT)")) }
        }
        let calls = try cases.map { "\(try number(of: $0.name)),\($0.arguments)" }
        for (entry, verdict) in zip(cases, try verdicts(of: calls, .run)) {
            #expect(verdict == entry.verdict, "\(entry.name) \(entry.arguments)")
        }
    }

    @Test func aBuildMayAskForADevice() throws {
        let call = "\(try number(of: "mknodat")),-100,0,0x2180,0"
        try #expect(verdicts(of: [call], .build) == ["allow"])
    }

    /// By the gate that a 64-bit program has to 32-bit calls, where the kernel was built with it.
    @Test func a32BitCallIsTheEnd() throws {
        guard isX86, try outside(["i20"]) == ["allow"] else { return }
        try #expect(verdicts(of: ["i20", "i1", "i120"], .run) == Array(repeating: "signal \(SIGSYS)", count: 3))
    }

    /// What shows that the tests above can fail: without a sandbox the same program finds everything allowed.
    @Test func outsideOfASandboxEverythingIsAllowed() throws {
        let verdicts = try outside((0...450).map { "\($0)" })
        let refused = zip(0..., verdicts).filter { $0.1 != "allow" && ![335, 336].contains($0.0) }
        #expect(verdicts.count == 451 && refused.isEmpty, "\(refused)")
    }

    // MARK: -

    private var isX86: Bool {
        #if arch(x86_64)
            return true
        #else
            return false
        #endif
    }

    private func number(of name: String) throws -> UInt32 {
        let entry = try #require(SystemCallList().entries.first { $0.name == name })
        return try #require(isX86 ? entry.x86 : entry.arm)
    }

    private func verdicts(of calls: [String], _ profile: SandboxPlan.CapabilityProfile) throws -> [String] {
        let program = try TestProgram("try-calls")
        defer { program.remove() }
        var verdicts: [String] = []
        try withLauncher { launcher in
            let mount = try program.mount(for: launcher)
            var plan = SandboxPlan.test(mounts: [mount], capabilities: profile)
            plan.arguments = [TestProgram.path] + calls
            let finished = try launcher.run(plan)
            #expect(finished.report.end == .exited(code: 0), "\(finished.errorText)")
            verdicts = finished.text.split(separator: "\n").map(String.init)
        }
        return verdicts
    }

    private func outside(_ calls: [String]) throws -> [String] {
        let program = try TestProgram("try-calls")
        defer { program.remove() }
        return try Command.run([program.file.path] + calls).split(separator: "\n").map(String.init)
    }
}
