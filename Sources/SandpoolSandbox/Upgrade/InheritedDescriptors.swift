import Glibc
import LinuxSystem

/// What the program before left open in this process. Two that name the same descriptor get the same one.
final class InheritedDescriptors {
    private let open: [Int32: FileDescriptor]

    /// From here on none of them stays open over another execve(2), and what nobody takes closes with this.
    ///
    /// - Throws: EBADF when one is not open.
    init(_ numbers: [Int32]) throws(SystemError) {
        for number in numbers { try FileDescriptor.setInherited(number, false) }
        open = Dictionary(uniqueKeysWithValues: numbers.map { ($0, FileDescriptor(owning: $0)) })
    }

    func take(_ number: Int32) throws(SystemError) -> FileDescriptor {
        guard let descriptor = open[number] else { throw SystemError("descriptor \(number)", code: EBADF) }
        return descriptor
    }

    func take(_ process: LauncherState.Process) throws(SystemError) -> ChildProcess {
        ChildProcess(pid: pid_t(process.pid), descriptor: try take(process.descriptor))
    }
}
