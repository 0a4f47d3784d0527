import CLinux
import LinuxSystem

/// A classic BPF program over `struct seccomp_data` (seccomp(2)), installed in the command's process and
/// in the launcher's helpers.
struct SeccompFilter {
    let program: [sock_filter]

    /// Calls of another architecture kill the process.
    ///
    /// - Parameter beyond: what calls of the x32 interface get.
    init(_ calls: CallTable, beyond: FilterAssembler.Action) {
        var filter = FilterAssembler()
        filter.load(.architecture)
        filter.ifNotEqual(Self.architecture, .killProcess)
        filter.load(.number)
        filter.append(calls.assembled(limit: Self.limit, beyond: beyond))
        program = filter.program
    }

    /// The x32 interface of x86-64 has its own numbers above this bit; no other has any.
    private static let limit: UInt32 = 0x4000_0000

    #if arch(x86_64)
        private static let architecture: UInt32 = 0xc000_003e
    #elseif arch(arm64)
        private static let architecture: UInt32 = 0xc000_00b7
    #endif

    func install() throws(SystemError) {
        try systemCall("seccomp") { CLinux_seccomp_set_filter(program, UInt16(program.count)) }
    }
}
