import Glibc
import Sandpool
import SandpoolModel
import Testing

/// Trees in, archives out, and images that have to be built first.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct FilesTests {
    @Test func aMountedTreeIsThereAndADownloadComesBackAlsoAfterAFailure() async throws {
        try await LocalPool.with { local in
            let tree = "\(local.directory)/tree"
            mkdir(tree, 0o755)
            try write("hello\n", to: "\(tree)/a.txt")
            var spec = JobSpec(command: ["sh", "-c", "cat /in/a.txt; mkdir /out; echo made > /out/b.txt; exit 3"])
            spec.network.block = true
            spec.mounts = [try await local.pool.upload(tree, to: "/in")]
            spec.downloads = ["/out"]
            let sandbox = try await Sandbox.create(spec, in: local.pool)
            #expect(try await sandbox.wait() == 3)
            #expect(try await sandbox.stdout.readText() == "hello\n")
            try await sandbox.download("/out", to: "\(local.directory)/out")
            #expect(try read("\(local.directory)/out/b.txt") == "made\n")
        }
    }

    @Test func aBlobThatIsNotThereEndsTheJobWithAReason() async throws {
        try await LocalPool.with { local in
            var spec = JobSpec(command: ["true"])
            spec.network.block = true
            spec.mounts = [Mount(blob: "sha256:" + String(repeating: "0", count: 64), path: "/in", isFile: false)]
            do {
                let sandbox = try await Sandbox.create(spec, in: local.pool)
                let code = try await sandbox.wait()
                Issue.record("it ended with \(code)")
            } catch let error as SandpoolError {
                // Refused at once by the coordinator, or by the worker that could not fetch it.
                #expect(!error.message.isEmpty)
            }
        }
    }

    /// Builds once, from the host's own mirrors; the second job finds the image ready.
    @Test(.enabled(if: access("/usr/bin/mmdebstrap", X_OK) == 0, "mmdebstrap is not installed"))
    func aDebianImageIsBuiltOnceAndIsNotTheHosts() async throws {
        try await LocalPool.with { local in
            var spec = JobSpec(command: ["sh", "-c", "cat /etc/os-release; cat /etc/apt/apt.conf.d/99sandpool; id -u"])
            spec.image = "mmdebstrap:bookworm"
            spec.network.block = true
            let first = try await Sandbox.create(spec, in: local.pool)
            #expect(try await first.wait() == 0)
            let text = try await first.stdout.readText()
            #expect(text.contains("VERSION_CODENAME=bookworm"))
            #expect(text.contains("APT::Sandbox::User \"root\";"))
            #expect(text.hasSuffix("0\n"))
            spec.command = ["python3", "-c", "print(6 * 7)"]
            let second = try await Sandbox.create(spec, in: local.pool)
            #expect(try await second.wait() == 0)
            #expect(try await second.stdout.readText() == "42\n")
        }
    }

    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    private func read(_ path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
