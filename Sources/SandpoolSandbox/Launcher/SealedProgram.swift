import CLinux
import Glibc
import LinuxSystem

/// The launcher runs from a copy of its program in memory that nobody can write to, and its copies in sandboxes do not
/// say how it was started.
///
/// A process that is about to become a command is for a moment the launcher's program, and a script whose interpreter
/// is `/proc/self/exe` makes that moment last: whoever holds it there could write to the file on the host once nothing
/// runs from it (CVE-2019-5736).
enum SealedProgram {
    private static let name = "sandpool-launcher"

    /// Executes the copy in place of this program, unless this is the copy.
    static func enter() throws(SystemError) {
        let program = try FileDescriptor.open("/proc/self/exe", O_RDONLY)
        if !SealedFile.isSealed(program) {
            let copy = try SealedFile.copy(ofProgram: program, name: name)
            try systemCall("execve of a sealed copy") { fexecve(copy.raw, CommandLine.unsafeArgv, environ) }
        }
        // The kernel has named it after the descriptor's number.
        _ = name.withCString { CLinux_prctl(PR_SET_NAME, UInt(bitPattern: $0)) }
    }

    /// In a process that a sandbox may look at: anybody may read a process's command line (proc_pid_cmdline(5)), where
    /// the host's paths are.
    static func hideCommandLine() {
        for word in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)) {
            if let word { memset(word, 0, strlen(word)) }
        }
        // Shorter than any path.
        if let first = CommandLine.unsafeArgv[0] { memcpy(first, "init", 4) }
    }
}
