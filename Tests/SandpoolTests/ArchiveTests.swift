import Glibc
import SandpoolModel
import Testing

@testable import Sandpool

@Suite(.timeLimit(.minutes(1))) struct ArchiveTests {
    private func unpacked(_ file: TemporaryFile) async throws -> TemporaryTree {
        let tree = try TemporaryTree()
        try await Tar.unpack(file, into: tree.path)
        return tree
    }

    private func bytes(_ file: TemporaryFile) throws -> [UInt8] {
        Array(try file.read(at: 0, limit: 8 << 20).readableBytesView)
    }

    @Test func theSameTreeIsTheSameArchive() async throws {
        var archives: [[UInt8]] = []
        for names in [["a", "d/b", "d/c"], ["d/c", "d/b", "a"]] {
            let tree = try TemporaryTree()
            for name in names { try tree.write(name, "content of \(name)") }
            for name in ["d/c", "d/b", "d", "a", ""] {
                var times = [timespec(tv_sec: 1_000, tv_nsec: 5), timespec(tv_sec: 1_000, tv_nsec: 5)]
                utimensat(AT_FDCWD, "\(tree.path)/\(name)", &times, 0)
            }
            archives.append(try bytes(try await Tar.archive(tree.path, isFile: false)))
        }
        #expect(archives[0] == archives[1])
    }

    @Test func keepsLinksAndModesAndLeavesSocketsOut() async throws {
        let tree = try TemporaryTree()
        try tree.write("run", "#!/bin/sh", mode: 0o755)
        symlink("/etc/passwd", "\(tree.path)/link")
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array("\(tree.path)/s".utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let copy = try await unpacked(try await Tar.archive(tree.path, isFile: false))
        #expect(copy.names() == ["link", "run"])
        #expect(access("\(copy.path)/run", X_OK) == 0)
        #expect(LocalPath.mode(at: "\(copy.path)/link").map { $0 & S_IFMT } == S_IFLNK)
    }

    @Test(arguments: ["plain", "-dash", "two words", "new\nline", "p|pe&\\"])
    func aFileIsCalledContent(_ name: String) async throws {
        let tree = try TemporaryTree()
        try tree.write(name, "text")
        symlink("\(tree.path)/\(name)", "\(tree.path)/link")
        for path in [name, "link"] {
            let copy = try await unpacked(try await Tar.archive("\(tree.path)/\(path)", isFile: true))
            #expect(copy.names() == ["content"])
            #expect(copy.read("content") == "text")
        }
    }

    @Test func whatIsNotThereIsOneLine() async throws {
        let error = #expect(throws: SandpoolError.self) { try LocalPath.kind(of: "/nonexistent") }
        #expect(error?.description == "cannot read /nonexistent: No such file or directory")
        #expect(throws: SandpoolError.self) { try LocalPath.kind(of: "/dev/null") }
    }
}

@Suite(.timeLimit(.minutes(1))) struct StagingTests {
    /// A tree as a stranger's archive would leave it, below a staging directory beside `local`.
    private func staging(in tree: borrowing TemporaryTree, _ fill: (String) -> Void) throws -> StagingDirectory {
        let staging = try StagingDirectory(beside: "\(tree.path)/out")
        fill(staging.path)
        return staging
    }

    @Test func takesAPathToANewName() throws {
        let tree = try TemporaryTree()
        try tree.write("in/repo/out/a", "1")
        let staging = try staging(in: tree) { rename("\(tree.path)/in/repo", "\($0)/repo") }
        try staging.take("/repo/out", to: "\(tree.path)/result")
        staging.remove()
        #expect(tree.read("result/a") == "1")
        #expect(!tree.names().contains { $0.contains(".sandpool") })
    }

    @Test func takesAPathIntoADirectoryThatExists() throws {
        let tree = try TemporaryTree()
        try tree.write("in/a.txt", "1")
        try tree.write("dir/b", "2")
        let staging = try staging(in: tree) { rename("\(tree.path)/in/a.txt", "\($0)/a.txt") }
        try staging.take("/a.txt", to: "\(tree.path)/dir")
        staging.remove()
        #expect(tree.read("dir/a.txt") == "1")
    }

    @Test func followsNoLinkOut() throws {
        let tree = try TemporaryTree()
        try tree.write("secret/key", "s")
        let staging = try staging(in: tree) { symlink("\(tree.path)/secret", "\($0)/repo") }
        let error = #expect(throws: SandpoolError.self) { try staging.take("/repo/key", to: "\(tree.path)/stolen") }
        #expect(error?.code == "download_missing")
        staging.remove()
        #expect(tree.read("secret/key") == "s")
        #expect(tree.read("stolen") == nil)
    }

    @Test func dropsDevicesAndSetIDs() throws {
        let tree = try TemporaryTree()
        try tree.write("in/sh", "x", mode: 0o4755)
        let staging = try staging(in: tree) { path in
            rename("\(tree.path)/in", "\(path)/d")
            mkfifo("\(path)/d/pipe", 0o600)
        }
        try staging.take("/d", to: "\(tree.path)/result")
        staging.remove()
        #expect(LocalPath.mode(at: "\(tree.path)/result/sh").map { $0 & 0o7777 } == 0o755)
        #expect(LocalPath.mode(at: "\(tree.path)/result/pipe") == nil)
    }
}
