/// A system call by its number on each architecture; nil where it has none.
///
/// Written down and not taken from the headers of the machine that builds, which know neither the other architecture
/// nor calls that are newer than they are. From the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and
/// `scripts/syscall.tbl`, up to Linux 6.18; a test has libseccomp judge them.
struct SystemCall: Sendable {
    let name: StaticString
    private let x86: UInt32?
    private let arm: UInt32?

    init(_ name: StaticString, _ x86: UInt32?, _ arm: UInt32?) {
        self.name = name
        self.x86 = x86
        self.arm = arm
    }

    func number(on architecture: Architecture) -> UInt32? {
        switch architecture {
        case .x86: return x86
        case .arm: return arm
        }
    }

    /// One that system calls are filtered for, as `AUDIT_ARCH_*` of linux/audit.h names it to a filter.
    enum Architecture: UInt32, CaseIterable {
        /// x86-64.
        case x86 = 0xc000_003e
        /// AArch64.
        case arm = 0xc000_00b7

        #if arch(x86_64)
            static let current = Architecture.x86
        #elseif arch(arm64)
            static let current = Architecture.arm
        #endif
    }
}
