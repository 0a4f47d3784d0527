import Glibc
import LinuxSystem

/// Moves what runs in a sandbox's version 2 cgroup into a child of it, so that others can stand beside: a cgroup that
/// gives controllers to its children has no processes of its own (cgroup-v2.rst, "No Internal Process Constraint").
///
/// Only a sandbox that gets a second command needs it, so only then it is done: one more cgroup with a memory
/// controller would cost each start. Each process that is moved waits for an RCU grace period, some milliseconds: a
/// child of the launcher does it. Of two at once one waits for the other: a cgroup that the first thaws would run on
/// under the second, whose move then finds no end.
struct CgroupDivision {
    let whole: FileDescriptor
    let main: FileDescriptor
    let child: FileDescriptor

    func run() throws(SystemError) {
        // An opening of its own, since one that the launcher's children share would lock none of them out (flock(2)).
        // It goes with this process, however that ends.
        let lock = try whole.open(".", O_RDONLY | O_DIRECTORY)
        defer { withExtendedLifetime(lock) {} }
        try systemCall("flock cgroup") { flock(lock.raw, LOCK_EX) }
        if Self.isDone(in: whole) { return try child.write("1", to: Self.groupKill) }
        // A program that forks and ends all the time would never be found. One that is told to freeze finishes the
        // call that it is in, which makes one more process at most.
        try whole.write("1", to: Self.freezer)
        defer { Self.thaw(whole) }
        try ControllerHandDown.move(from: whole, to: main)
        // The other limits stay where they are: they hold for all that is below.
        try whole.write("+memory", to: "cgroup.subtree_control")
        for part in [main, child] { try part.write("1", to: Self.groupKill) }
        // The highest cgroup that has it set dies whole (`mem_cgroup_get_oom_group`).
        try whole.write("0", to: Self.groupKill)
    }

    /// By what is done last.
    static func isDone(in cgroup: FileDescriptor) -> Bool { (try? cgroup.read(groupKill))?.first == "0" }

    static func thaw(_ cgroup: FileDescriptor) { try? cgroup.write("0", to: freezer) }

    private static let freezer = "cgroup.freeze"
    private static let groupKill = "memory.oom.group"
}
