import CLinux
import Glibc

public enum SpawnActions {
    /// Has a program that is spawned find every descriptor from `first` on closed: the function
    /// posix_spawn_file_actions_addclosefrom_np of <spawn.h>, since glibc 2.34.
    public static func closeAll(from first: Int32, in actions: inout posix_spawn_file_actions_t) throws(SystemError) {
        let code = CLinux_spawn_close_from(&actions, first)
        guard code == 0 else { throw SystemError("posix_spawn_file_actions_addclosefrom_np", code: code) }
    }
}
