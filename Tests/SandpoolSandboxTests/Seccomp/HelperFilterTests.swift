import CLinux
import Foundation
import Glibc
import Testing

@testable import SandpoolSandbox

/// The filters of the launcher's children in the kernel, each in a process that installs one and makes one call.
@Suite struct HelperFilterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var call: String
        var number: Int32
        /// Numbers, or text that becomes a pointer.
        var arguments: [String]
        /// What comes of it: 0, an errno, or the signal that ended the process.
        var spooler: String
        var forwarder: String
        var testDescription: String { call }
    }

    static let cases: [Case] = [
        Case(call: "getpid", number: __NR_getpid, arguments: [], spooler: "0", forwarder: "0"),
        Case(
            call: "execve", number: __NR_execve, arguments: ["/bin/true", "0", "0"], spooler: "1", forwarder: "killed"),
        Case(call: "clone", number: __NR_clone, arguments: ["17", "0", "0"], spooler: "1", forwarder: "killed"),
        Case(call: "ptrace", number: __NR_ptrace, arguments: ["0", "0", "0"], spooler: "1", forwarder: "killed"),
        Case(call: "unshare", number: __NR_unshare, arguments: ["0x10000000"], spooler: "1", forwarder: "killed"),
        Case(call: "io_uring", number: __NR_io_uring_setup, arguments: ["1", "0"], spooler: "1", forwarder: "killed"),
        Case(call: "bind", number: __NR_bind, arguments: ["0", "0", "0"], spooler: "1", forwarder: "killed"),
        Case(
            call: "executable memory", number: __NR_mmap, arguments: ["0", "4096", "7", "0x22", "-1", "0"],
            spooler: "1", forwarder: "killed"),
        Case(
            call: "memory", number: __NR_mmap, arguments: ["0", "4096", "3", "0x22", "-1", "0"], spooler: "0",
            forwarder: "0"),
        Case(call: "socket INET", number: __NR_socket, arguments: ["2", "2", "0"], spooler: "1", forwarder: "0"),
        Case(call: "socket UNIX", number: __NR_socket, arguments: ["1", "2", "0"], spooler: "1", forwarder: "97"),
        Case(call: "socket PACKET", number: __NR_socket, arguments: ["17", "3", "0"], spooler: "1", forwarder: "97"),
        Case(
            call: "open to read", number: __NR_openat, arguments: ["-100", "/etc/passwd", "0"], spooler: "1",
            forwarder: "0"),
        Case(
            call: "open to write", number: __NR_openat, arguments: ["-100", "/dev/null", "1"], spooler: "1",
            forwarder: "13"),
        Case(
            call: "ioctl TIOCSTI", number: __NR_ioctl, arguments: ["0", "0x5412", "0"], spooler: "1",
            forwarder: "killed"),
    ]

    @Test(arguments: cases) func aCallEndsAsItShould(entry: Case) throws {
        try #expect(outcome(of: entry, HelperFilter.spooler()) == entry.spooler)
        try #expect(outcome(of: entry, HelperFilter.forwarder()) == entry.forwarder)
    }

    private func outcome(of entry: Case, _ filter: SeccompFilter) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "filter-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try filter.program.withUnsafeBytes { Data($0) }.write(to: file)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", Self.script, file.path, "\(__NR_seccomp)", "\(entry.number)"] + entry.arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal, process.terminationStatus == SIGSYS { return "killed" }
        return process.terminationStatus == 0 ? text : "failed \(process.terminationStatus)"
    }

    private static let script = """
        import ctypes, os, sys
        code = open(sys.argv[1], "rb").read()
        class Program(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
        program = Program(len(code) // 8, code)
        libc = ctypes.CDLL(None, use_errno=True)
        def argument(text):
            try: return ctypes.c_long(int(text, 0))
            except ValueError: return ctypes.c_char_p(text.encode())
        words = [argument(text) for text in sys.argv[3:]]
        libc.syscall.restype = ctypes.c_long
        if libc.prctl(38, 1, 0, 0, 0) != 0: sys.exit(2)
        if libc.syscall(int(sys.argv[2]), 1, 0, ctypes.byref(program)) != 0: sys.exit(3)
        result = libc.syscall(*words)
        os.write(1, str(ctypes.get_errno() if result == -1 else 0).encode())
        os._exit(0)
        """
}
