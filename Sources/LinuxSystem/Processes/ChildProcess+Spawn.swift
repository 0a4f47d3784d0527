import CLinux
import Glibc

extension ChildProcess {
    private static let stackBytes = 256 << 10
    private static let guardBytes = 4_096

    /// Starts a child in this process's own memory, on a stack of its own, and waits until it executes a program
    /// or ends: vfork(2). Neither copies pages that the child would give up a moment later.
    ///
    /// Only for a process with one thread. Descriptors, ids and signal dispositions are the child's own; what it
    /// changes in memory stays changed here: objects that `body` captures are never released, since the child takes a
    /// reference to them and does not come back to give it up.
    public static func spawn(_ body: @escaping () -> Never) throws(SystemError) -> pid_t {
        let size = stackBytes + guardBytes
        let stack = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)
        guard let stack, stack != MAP_FAILED else { throw SystemError("mmap stack", code: errno) }
        defer { munmap(stack, size) }
        // The stack grows down towards it.
        try systemCall("mprotect stack") { mprotect(stack, guardBytes, PROT_NONE) }
        var body = body
        return try withUnsafeMutablePointer(to: &body) { context throws(SystemError) in
            try systemCall("clone") { CLinux_vfork(call, context, stack + size) }
        }
    }

    private static let call: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
        guard let body = context?.assumingMemoryBound(to: (() -> Never).self) else { _exit(125) }
        body.pointee()
    }
}
