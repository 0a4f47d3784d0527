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
    static let name = "sandpool-launcher"

    /// Executes the copy in place of this program, unless this is the copy.
    static func enter() throws(SystemError) {
        let program = try FileDescriptor.open("/proc/self/exe", O_RDONLY)
        if !SealedFile.isSealed(program) {
            let copy = try SealedFile.copy(ofProgram: program, name: name)
            try execute(copy, CommandLine.arguments + [LauncherOptions.programName, try path(of: program)])
        }
        // The kernel has named it after the descriptor's number.
        _ = name.withCString { CLinux_prctl(PR_SET_NAME, UInt(bitPattern: $0)) }
    }

    /// Another one that is at this path now.
    static func copy(at path: String) throws(SystemError) -> FileDescriptor {
        try SealedFile.copy(ofProgram: try FileDescriptor.open(path, O_RDONLY), name: name)
    }

    /// - Throws: where it returns at all.
    static func execute(_ copy: FileDescriptor, _ words: [String]) throws(SystemError) {
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        try systemCall("execve of a sealed copy") { fexecve(copy.raw, &pointers, environ) }
    }

    /// As it was named where that is a whole path: a link there may lead to another file later on.
    private static func path(of program: FileDescriptor) throws(SystemError) -> String {
        var (own, named) = (stat(), stat())
        try systemCall("fstat /proc/self/exe") { fstat(program.raw, &own) }
        let word = CommandLine.arguments.first ?? ""
        if word.hasPrefix("/"), stat(word, &named) == 0, own.st_dev == named.st_dev, own.st_ino == named.st_ino {
            return word
        }
        let root = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        guard let path = root.symbolicLink("proc/self/exe") else {
            throw SystemError("readlink /proc/self/exe", code: ENOENT)
        }
        return path
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
