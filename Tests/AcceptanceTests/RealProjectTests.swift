import Foundation
import Testing

/// The test suite of a real project, CPython's own, has the same cases and outcomes in a sandbox as outside:
/// more than 2,000 cases with files, subprocesses, threads, pseudo-terminals and loopback sockets.
@Suite(.serialized) struct RealProjectTests {
    /// Modules of the suite that need nothing but the interpreter: others skip cases where a program such as
    /// `zip` is missing, which says nothing about a sandbox.
    static let modules = [
        "test_tempfile", "test_pathlib", "test_socketserver", "test_tarfile", "test_os", "test_posix",
        "test_httpservers", "test_asyncore", "test_smtplib", "test_urllib2_localnet", "test_poplib", "test_threading",
        "test_mmap", "test_glob", "test_subprocess", "test_queue",
    ]

    @Test(arguments: ["host", "mmdebstrap:bookworm"])
    func outcomesAreThoseOfTheHost(image: String) throws {
        let inside = try sandboxed(image)
        let outside = try Self.outside.get()
        #expect(outside.count >= 2_000)
        let difference = Set(inside).symmetricDifference(outside).sorted()
        #expect(difference.isEmpty, "\(difference.prefix(20))")
    }

    /// A program started by this one inherits the signal mask of a thread that blocks nearly all; cases about
    /// signals would wait for ever.
    private static let unblock = """
        import os, signal, sys
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execv(sys.argv[1], sys.argv[1:])
        """

    /// One line a case, run on the host as an ordinary user. Taken once for both images.
    static let outside = Result {
        let work = try Scratch(name: "sandpool-outside-\(UUID().uuidString)")
        defer { work.remove() }
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: work.base.path)
        let script = work.path("run_cases.py")
        try FileManager.default.copyItem(
            at: SourceRoot.fixtures.appendingPathComponent("run_cases.py"), to: URL(fileURLWithPath: script))
        let result = try Command.check(
            "/usr/bin/env",
            [
                "-i", "-C", work.base.path, "/usr/bin/python3", "-c", unblock, "/usr/bin/setpriv",
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "PATH=/usr/bin:/bin",
                "HOME=\(work.base.path)", "LANG=C.UTF-8", "/usr/bin/python3", script,
            ] + modules.map { "test.\($0)" })
        return result.text.split(separator: "\n").map(String.init)
    }

    private func sandboxed(_ image: String) throws -> [String] {
        // The host's /usr has the suite's own tree; a Debian image is small, so there it goes in as a mount.
        let tree = "/usr/lib/python3.11/test"
        let result = try Command.run(
            Programs.sandpool,
            [
                "run", "--local", "--image", image, "--block-network", "--user", "65534", "--timeout", "20m",
                "--memory", "2GiB", "--disk", "1GiB", "--env", "HOME=/tmp", "--env", "LANG=C.UTF-8",
                "--workdir", "/tmp", "--mount", "\(SourceRoot.fixtures.path):/fixtures",
            ] + (image == "host" ? [] : ["--mount", "\(tree):\(tree)"])
                + ["--", "python3", "/fixtures/run_cases.py"] + Self.modules.map { "test.\($0)" })
        guard result.code == 0 else {
            throw Failure(text: "sandpool run ended with \(result.code): \(result.errorText)")
        }
        return result.text.split(separator: "\n").map(String.init)
    }
}
