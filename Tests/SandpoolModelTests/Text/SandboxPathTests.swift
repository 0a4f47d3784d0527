import SandpoolModel
import Testing

@Suite struct SandboxPathTests {
    @Test(arguments: [
        ("/", "/"), ("/a", "/a"), ("//a///b/", "/a/b"), ("/a/./b/.", "/a/b"), ("/...", "/..."), ("/a b", "/a b"),
        ("/..a", "/..a"), ("/ä", "/ä"),
    ])
    func normalizes(path: String, normal: String) throws {
        #expect(try SandboxPath.normalize(path) == normal)
    }

    @Test(arguments: [
        "", "a", "./a", "~", "/..", "/a/../b", "/a/..", "/a\u{0}b", "\u{0}", "/" + String(repeating: "n", count: 256),
        String(repeating: "/a", count: 2_000) + "b", "/a/\u{0}..", "\u{301}/a",
    ])
    func refuses(path: String) {
        #expect(throws: ValueProblem.self) { try SandboxPath.normalize(path) }
    }

    /// In Swift a slash with a combining mark is one character and not "/"; for the kernel it is a separator.
    @Test func looksAtBytesAsTheKernelDoes() {
        #expect(throws: ValueProblem.self) { try SandboxPath.normalize("/a/..\u{2F}\u{301}") }
        #expect(throws: ValueProblem.self) { try SandboxPath.normalize("/\u{301}/..") }
    }

    @Test func takesTheLongest() throws {
        let path = String(repeating: "/a", count: 2_000)
        #expect(try SandboxPath.normalize(path) == path)
    }

    @Test(arguments: ["/", "//.", "/proc", "/proc/self/root", "/sys/fs/cgroup", "/dev/./shm", "//dev"])
    func filesHaveNoPlaceInAPrivateFileSystem(path: String) {
        #expect(throws: ValueProblem.self) { try SandboxPath.normalizeForFiles(path) }
    }

    @Test(arguments: ["/process", "/devel", "/home/dev"]) func otherPlacesAreFine(path: String) throws {
        #expect(try SandboxPath.normalizeForFiles(path) == path)
    }
}
