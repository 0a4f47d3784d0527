import CLinux
import Glibc

extension ChildProcess {
    /// Starts a process that is the child of this one's parent (clone(2), CLONE_PARENT), with a copy of everything and
    /// in the pid namespace that this one has entered for its children. Only for a process with one thread.
    ///
    /// - Parameter noted: where the parent finds its number.
    public static func cloneSibling(
        noted number: SharedProcessNumber, _ body: () -> Never
    ) throws(SystemError) {
        // So that the page is there: the kernel does not say when it could not write to it, and who runs out of memory
        // here ends before there is a process that nobody knows.
        number.place.pointee = 0
        let pid = try systemCall("clone3") { CLinux_clone_sibling(number.place) }
        if pid == 0 { body() }
    }

    /// A child that another process cloned for this one.
    public static func adopt(_ pid: pid_t) throws(SystemError) -> ChildProcess {
        ChildProcess(pid: pid, descriptor: try open(pid))
    }
}

/// Where the kernel notes the number of a process before it runs (clone(2), CLONE_PARENT_SETTID), in memory that stays
/// shared with every child: whatever happens to who cloned it, the parent knows of it.
public final class SharedProcessNumber: @unchecked Sendable {
    let place: UnsafeMutablePointer<pid_t>
    private static let size = MemoryLayout<pid_t>.size

    public init() throws(SystemError) {
        let page = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let page, page != MAP_FAILED else { throw SystemError("mmap", code: errno) }
        place = page.bindMemory(to: pid_t.self, capacity: 1)
    }

    deinit { munmap(place, Self.size) }

    /// Nil as long as there is no such process. As the process that cloned it sees it.
    public var pid: pid_t? { place.pointee == 0 ? nil : place.pointee }
}
