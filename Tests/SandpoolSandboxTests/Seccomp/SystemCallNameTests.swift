import Foundation
import SandpoolTestSupport
import Testing

@testable import SandpoolSandbox

/// That each number is the call that its name says, on both architectures, as libseccomp knows them.
@Suite struct SystemCallNameTests {
    /// Numbers that no kernel has a call behind any more, or never had.
    private static let empty: Set<String> = [
        "_sysctl", "afs_syscall", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms",
        "get_thread_area", "getpmsg", "nfsservctl", "putpmsg", "query_module", "security", "set_thread_area",
        "tuxcall", "vserver",
    ]

    @Test(arguments: SystemCall.Architecture.allCases)
    func theListAgreesWithLibseccomp(architecture: SystemCall.Architecture) throws {
        let listed = try SystemCallList().numbered(x86: architecture == .x86)
        let known = try Self.names(architecture)
        #expect(known.count > 300)
        for (number, name) in known {
            if let entry = listed[number] {
                #expect(entry.name == name, "\(number)")
            } else {
                #expect(Self.empty.contains(name), "\(number) \(name) is not in the list")
            }
        }
        let last = try #require(known.keys.max())
        // What it does not know is newer than it is, or fills a hole of x86_64's.
        for (number, entry) in listed where known[number] == nil {
            #expect(number > last || [335, 336].contains(number), "\(number) \(entry.name)")
        }
    }

    @Test func theFiltersNamesAreThoseOfTheList() throws {
        let calls = SystemCall.allowed + SystemCall.refused
        let listed = try SystemCallList().entries.filter { entry in
            entry.run == entry.build && ["allow", "EPERM"].contains(entry.run)
        }
        #expect(calls.map { "\($0.name)" }.sorted() == listed.map(\.name).sorted())
    }

    /// Asked of the library itself, which comes with every Debian; Python can call it without its headers.
    private static func names(_ architecture: SystemCall.Architecture) throws -> [UInt32: String] {
        let script = """
            import ctypes, sys
            library = ctypes.CDLL("libseccomp.so.2")
            resolve = library.seccomp_syscall_resolve_num_arch
            resolve.restype = ctypes.c_void_p
            for number in range(2000):
                name = resolve(ctypes.c_uint32(int(sys.argv[1])), number)
                if name: print(number, ctypes.string_at(name).decode())
            """
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, "\(architecture.rawValue)"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        var names: [UInt32: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            names[try #require(UInt32(words[0]))] = String(words[1])
        }
        return names
    }
}
