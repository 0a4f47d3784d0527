import Glibc
import LinuxSystem

/// posix_spawn(3) with nothing inherited but what is named.
enum ProcessSpawn {
    /// Starts a program as the leader of a session of its own, with no blocked or ignored signals: a Ctrl-C on
    /// this process's terminal is not meant for it.
    ///
    /// - Parameters:
    ///   - arguments: an absolute path and the arguments.
    ///   - environment: `NAME=VALUE` entries, all of them.
    ///   - descriptors: which of ours become which of its own; 0 is `/dev/null` unless named. It gets no other:
    ///     not all libraries open theirs close-on-exec, and mmdebstrap's shell scripts fail where a number has two
    ///     digits.
    static func start(
        _ arguments: [String], environment: [String], descriptors: [(from: Int32, to: Int32)]
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // First to numbers that no target has, so that one of ours that happens to be a target is not lost.
        let base: Int32 = 100
        for (index, pair) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, pair.from, base + Int32(index))
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (index, pair) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, base + Int32(index), pair.to)
        }
        // Up to standard error none is closed that was not named: a program may not like to find them closed.
        let firstUnnamed = descriptors.reduce(2) { max($0, $1.to) } + 1
        try SpawnActions.closeAll(from: firstUnnamed, in: &actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | setSession
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        guard let path = words[0] else { throw SystemError("posix_spawn", code: EINVAL) }
        let code = posix_spawn(&pid, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("start \(arguments.first ?? "")", code: code) }
        return pid
    }

    /// POSIX_SPAWN_SETSID of <spawn.h>, visible only with _GNU_SOURCE.
    private static let setSession: Int32 = 0x80
}
