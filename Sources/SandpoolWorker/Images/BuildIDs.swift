/// The ids of the host that image builds have as their own: root's builds by a map that the worker writes, those of
/// the service's user by an entry in `/etc/subuid` and `/etc/subgid` (`deploy/systemd/subordinate-ids`).
public enum BuildIDs {
    /// The end of what systemd's UIDS-GIDS table leaves free, below 2^31, where some programs fail.
    static let first: UInt32 = 2_147_287_040
    static let count: UInt32 = 65_536

    /// As usermod(8) takes it.
    public static var range: String { "\(first)-\(first + count - 1)" }
}
