import SandpoolTestSupport
import Testing

@testable import SandpoolSandbox

/// The sandbox's filters of both architectures, run through for every number and every argument that they look at. The
/// kernel's own word on them is in `LauncherTests`.
@Suite struct SandboxFilterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var architecture: SystemCall.Architecture
        var profile: SandboxPlan.CapabilityProfile
        var testDescription: String { "\(architecture) \(profile)" }
    }

    static let cases = SystemCall.Architecture.allCases.flatMap { architecture in
        [SandboxPlan.CapabilityProfile.run, .build].map { Case(architecture: architecture, profile: $0) }
    }

    @Test(arguments: cases) func everyNumberIsAsTheListSays(entry: Case) throws {
        let listed = try SystemCallList().numbered(x86: entry.architecture == .x86)
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        var judged = 0
        for number in Array(UInt32(0)...2_000) + [0x3fff_ffff, 0x4000_0000, 0x4000_0001, 0x4000_0200, .max] {
            let expected = listed[number].map { entry.profile == .run ? $0.run : $0.build } ?? "ENOSYS"
            if expected == "args" {
                judged += 1
            } else {
                #expect(word(filter.run(number, on: entry.architecture)) == expected, "\(number)")
            }
        }
        #expect(judged == (entry.architecture == .x86 ? 7 : 6))
    }

    @Test(arguments: cases) func anotherArchitectureIsTheEnd(entry: Case) {
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        for other in SystemCall.Architecture.allCases where other != entry.architecture {
            for number in UInt32(0)...600 {
                #expect(filter.run(number, on: other) == FilterAssembler.Action.killProcess.value)
            }
        }
    }

    @Test(arguments: cases) func onlyPlainSocketsAreMade(entry: Case) throws {
        let numbers = try numbers(entry.architecture)
        let (socket, pair) = (try #require(numbers["socket"]), try #require(numbers["socketpair"]))
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        for family in UInt32(0)...64 {
            for kind in UInt32(0)...16 {
                for protocolNumber in UInt32(0)...300 {
                    let flags: UInt32 = 0o2_004_000
                    let end = word(filter.run(socket, [family, kind | flags, protocolNumber], on: entry.architecture))
                    #expect(
                        (end == "allow") == Self.isPlain(family, kind & 0xf, protocolNumber),
                        "\(family) \(kind) \(protocolNumber)")
                }
            }
            #expect((word(filter.run(pair, [family, 1, 0], on: entry.architecture)) == "allow") == (family == 1))
        }
    }

    /// As socket(2) numbers them: UNIX; INET and INET6 with STREAM for TCP, with DGRAM for UDP and ping; NETLINK_ROUTE.
    private static func isPlain(_ family: UInt32, _ kind: UInt32, _ number: UInt32) -> Bool {
        switch (family, kind, number) {
        case (1, _, _), (16, _, 0): return true
        case (2, 1, 0), (2, 1, 6), (10, 1, 0), (10, 1, 6): return true
        case (2, 2, 0), (2, 2, 17), (2, 2, 1), (10, 2, 0), (10, 2, 17), (10, 2, 58): return true
        default: return false
        }
    }

    @Test(arguments: cases) func noNamespaceAndNoSiblingIsCloned(entry: Case) throws {
        let clone = try #require(numbers(entry.architecture)["clone"])
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        for bit in 0..<32 {
            // CLONE_PARENT; mounts, cgroup, uts, ipc, user, pid and net.
            let isRefused = [15, 17, 25, 26, 27, 28, 29, 30].contains(bit)
            let end = word(filter.run(clone, [17 | 1 << UInt32(bit)], on: entry.architecture))
            #expect(end == (isRefused ? "EPERM" : "allow"), "bit \(bit)")
        }
    }

    /// FS_IOC_SETFLAGS, also of 32-bit programs, FS_IOC_FSSETXATTR, and the questions that go with them.
    @Test(arguments: cases) func flagsOfFilesAreReadAndNotSet(entry: Case) throws {
        let call = try #require(numbers(entry.architecture)["ioctl"])
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        for request: UInt32 in [0x4008_6602, 0x4004_6602, 0x401c_5820] {
            let end = filter.run(call, [3, request], on: entry.architecture)
            #expect(end == FilterAssembler.Action.fail(95).value, "\(request)")
        }
        for request: UInt32 in [0x8008_6601, 0x801c_581f, 0x5401] {
            #expect(word(filter.run(call, [3, request], on: entry.architecture)) == "allow", "\(request)")
        }
    }

    @Test(arguments: cases) func onlyABuildAsksForDevices(entry: Case) throws {
        let call = try #require(numbers(entry.architecture)["mknodat"])
        var filter = FilterInterpreter(SandboxFilter.make(entry.profile, on: entry.architecture).program)
        for (mode, isDevice): (UInt32, Bool) in [
            (0o644, false), (0o100_644, false), (0o010_644, false), (0o140_644, false), (0o020_666, true),
            (0o060_666, true),
        ] {
            let end = word(filter.run(call, [0, 0, mode], on: entry.architecture))
            #expect(end == (isDevice && entry.profile == .run ? "EPERM" : "allow"), "\(mode)")
        }
    }

    private func numbers(_ architecture: SystemCall.Architecture) throws -> [String: UInt32] {
        let listed = try SystemCallList().numbered(x86: architecture == .x86)
        return Dictionary(uniqueKeysWithValues: listed.map { ($0.value.name, $0.key) })
    }

    private func word(_ result: UInt32?) -> String {
        switch result {
        case FilterAssembler.Action.allow.value: return "allow"
        case FilterAssembler.Action.fail(1).value: return "EPERM"
        case FilterAssembler.Action.fail(38).value: return "ENOSYS"
        default: return "\(result ?? 0)"
        }
    }
}
