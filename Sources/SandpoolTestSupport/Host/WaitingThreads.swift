import FoundationEssentials
import Glibc

/// What the threads of Sandpool's processes on this host wait for: the trace of a program that does not end.
public enum WaitingThreads {
    /// Most of them that are told.
    private static let most = 200

    /// A line for each: process, thread, its state, the kernel function that it sleeps in and the system call that
    /// it makes (proc(5): `wchan`, `syscall`).
    public static func report() -> String {
        var lines: [String] = []
        for process in LauncherTraces.names(in: "/proc").compactMap({ pid_t($0) }).sorted() {
            let name = text("/proc/\(process)/comm")
            guard name.hasPrefix("sandpool"), process != getpid() else { continue }
            let command = text("/proc/\(process)/cmdline").replacing("\0", with: " ").suffix(200)
            lines.append("\(process) \(command)")
            for thread in LauncherTraces.names(in: "/proc/\(process)/task") {
                let directory = "/proc/\(process)/task/\(thread)"
                // The third field, behind a name that may hold anything but is closed by the last parenthesis.
                let state = text("\(directory)/stat").split(separator: ")").last?.prefix(2) ?? ""
                lines.append("  \(thread)\(state) \(text("\(directory)/wchan")) \(text("\(directory)/syscall"))")
            }
        }
        return lines.prefix(most).joined(separator: "\n")
    }

    private static func text(_ path: String) -> String {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
