import Glibc

/// Words before a command that run it as a user without any privilege, on a host that has what the test wants.
public enum OrdinaryUser {
    /// An id that the host has no account for.
    public static let id: uid_t = 54_321

    public static let become = [
        "/usr/bin/setpriv", "--reuid", "\(id)", "--regid", "\(id)", "--clear-groups", "--bounding-set", "-all",
    ]

    /// Anybody may open the tun device, and names are asked of `nameserver`.
    public static func withNetwork(nameserver: String) -> [String] {
        inMounts(
            """
            files=$(mktemp -d); mount -t tmpfs none "$files"; mknod -m 0666 "$files/tun" c 10 200
            mount --bind "$files/tun" /dev/net/tun
            echo "nameserver \(nameserver)" > "$files/resolv.conf"; chmod 0644 "$files/resolv.conf"
            mount --bind "$files/resolv.conf" "$(readlink -f /etc/resolv.conf)"; umount -l "$files"; rmdir "$files"
            """)
    }

    /// A script of sh(1) is where pasta would be.
    public static func withPasta(_ script: String) -> [String] {
        inMounts(
            """
            file=$(mktemp); printf '#!/bin/sh\\n%s\\n' '\(script)' > "$file"; chmod 0755 "$file"
            mount --bind "$file" "$(readlink -f /usr/bin/pasta)"; rm "$file"
            """)
    }

    /// There is no tun device for pasta.
    public static let withoutNetwork = inMounts("[ ! -d /dev/net ] || mount -t tmpfs none /dev/net")

    /// Mounts that nobody else sees.
    private static func inMounts(_ script: String) -> [String] {
        [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", script + "\nexec \"$@\"", "sh",
        ]
    }
}
