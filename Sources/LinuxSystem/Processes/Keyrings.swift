import CLinux
import Glibc

/// The kernel's keys that a process can use (keyrings(7)).
public enum Keyrings {
    /// Gives the calling thread a session keyring of its own, empty and without a name, in place of the one that it has
    /// from its parent, which a new user namespace leaves as it is (session-keyring(7)).
    ///
    /// A kernel without keys (ENOSYS) has none to leave.
    public static func leaveSession() throws(SystemError) {
        do throws(SystemError) {
            try systemCall("keyctl KEYCTL_JOIN_SESSION_KEYRING") { CLinux_join_session_keyring() }
        } catch  where error.code == ENOSYS {}
    }
}
