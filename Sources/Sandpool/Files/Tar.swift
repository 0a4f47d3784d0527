import Glibc
import NIOPosix

/// The system's `tar`: GNU tar is on every host that this runs on, and hardened against archives of strangers.
enum Tar {
    /// Archives a directory's content, or one file under the name `content`.
    ///
    /// The same tree always gives the same bytes: sorted, owned by root, times in whole seconds. Symbolic links
    /// stay what they are; sockets are left out, as tar does.
    static func archive(_ path: String, isFile: Bool) async throws -> TemporaryFile {
        let file = try TemporaryFile()
        var arguments = [
            "--create", "--file=-", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner",
            "--warning=no-file-ignored",
        ]
        if isFile {
            // The content is wanted also where the user names a link to it.
            let (directory, name) = LocalPath.split(path)
            arguments += ["--dereference", "--transform=s|.*|content|", "--directory=\(directory)", "--", name]
        } else {
            arguments += ["--directory=\(path)", "--", "."]
        }
        try await run(arguments, stdin: nil, stdout: file.descriptor, subject: path)
        return file
    }

    /// Unpacks an archive into a directory that only this user can reach. GNU tar refuses absolute names and
    /// `..`, and puts links that lead out in place only at its end.
    static func unpack(_ file: TemporaryFile, into directory: String) async throws {
        file.rewind()
        try await run(
            ["--extract", "--file=-", "--no-same-owner", "--no-same-permissions", "--directory=\(directory)"],
            stdin: file.descriptor, stdout: nil, subject: directory)
    }

    private static func run(_ arguments: [String], stdin: Int32?, stdout: Int32?, subject: String) async throws {
        let remarks = try TemporaryFile()
        let child = try spawn(arguments, stdin: stdin, stdout: stdout, stderr: remarks.descriptor)
        let status = try await NIOThreadPool.singleton.runIfActive { () -> Int32 in
            var status: Int32 = 0
            while waitpid(child, &status, 0) == -1, errno == EINTR {}
            return status
        }
        // 1 is "some files changed while they were read", which an archive of a living directory may be.
        guard status == 0 || (stdout != nil && status == 1 << 8) else {
            let text = try remarks.read(at: 0, limit: 4_096)
            let line = String(buffer: text).split(separator: "\n").first.map(String.init) ?? "it failed"
            throw SandpoolError(code: "tar_failed", message: "tar of \(subject): \(line)")
        }
    }

    private static func spawn(
        _ arguments: [String], stdin: Int32?, stdout: Int32?, stderr: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (source, target) in [(stdin, STDIN_FILENO), (stdout, STDOUT_FILENO), (stderr, STDERR_FILENO)] {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            }
        }
        var words: [UnsafeMutablePointer<CChar>?] = (["tar"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, "tar", &actions, nil, &words, environ)
        guard code == 0 else { throw SandpoolError.file("start tar", code) }
        return child
    }
}
