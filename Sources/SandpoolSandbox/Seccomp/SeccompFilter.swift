import CLinux
import LinuxSystem

/// A classic BPF program over `struct seccomp_data` (seccomp(2)), installed in the command's process and
/// in the launcher's helpers.
struct SeccompFilter {
    let program: [sock_filter]

    /// Calls of another architecture, such as 32-bit ones, kill the process.
    ///
    /// - Parameter beyond: what calls of the x32 interface get.
    init(_ calls: CallTable, beyond: FilterAssembler.Action, on architecture: SystemCall.Architecture = .current) {
        var filter = FilterAssembler()
        filter.load(.architecture)
        filter.ifNotEqual(architecture.rawValue, .killProcess)
        filter.load(.number)
        filter.append(calls.assembled(limit: Self.limit, beyond: beyond))
        program = filter.program
    }

    /// The x32 interface of x86-64 has its own numbers above this bit; no other has any.
    private static let limit: UInt32 = 0x4000_0000

    func install() throws(SystemError) {
        try systemCall("seccomp") { CLinux_seccomp_set_filter(program, UInt16(program.count)) }
    }
}
