import Glibc
import LinuxSystem

/// The lower layers that are generated instead of fetched: empty directories and the few files of the host's
/// `/etc` without which its programs do not run. Kept in the data directory by the host's fingerprint.
struct HostSkeleton {
    /// What the host offers: FNV-1a over `os-release`, the package status and what is copied from `/etc`.
    let fingerprint: String
    /// The layer of image `host`, and that of image `scratch`, below `skeletons`.
    let hostName: String
    let scratchName: String

    /// Files and directories of the host's `/etc` that are copied, when they are there. None holds a secret
    /// on a stock system; `passwd` and `group` are rewritten to system users.
    private static let copied = [
        "alternatives", "ca-certificates", "ca-certificates.conf", "debian_version", "fonts", "gai.conf", "host.conf",
        "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "locale.alias", "magic", "mailcap",
        "mime.types", "networks", "nsswitch.conf", "os-release", "perl", "profile", "protocols", "rpc", "services",
        "shells", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
    ]
    private static let copiedPrefixes = ["python", "java-"]

    /// One that sandboxes are on.
    init(_ state: LauncherState.Skeleton) {
        fingerprint = state.fingerprint
        hostName = state.hostName
        scratchName = state.scratchName
    }

    var state: LauncherState.Skeleton {
        LauncherState.Skeleton(fingerprint: fingerprint, hostName: hostName, scratchName: scratchName)
    }

    init(in directory: DataDirectory) throws(SystemError) {
        let root = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        let etc = try root.open("etc", O_RDONLY | O_DIRECTORY)
        let names =
            try Self.copied
            + DirectoryListing.names(in: etc).filter { name in
                Self.copiedPrefixes.contains { name.hasPrefix($0) }
            }.sorted()
        var hash = FowlerNollVoHash()
        hash.combine("skeleton 2")
        for path in ["usr/lib/os-release", "var/lib/dpkg/status", "usr", "etc/passwd", "etc/group"] {
            hash.combineState(of: path, in: root)
        }
        for name in names { hash.combineState(of: "etc/\(name)", in: root) }
        fingerprint = hash.text
        hostName = "host-\(fingerprint)"
        scratchName = "scratch-2"

        try Self.makeOnce(hostName, in: directory.skeletons) { layer throws(SystemError) in
            try Self.makeDirectories(in: layer)
            try layer.makeDirectory("usr", mode: 0o755)
            for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
                if let target = root.symbolicLink(name) { try layer.makeSymbolicLink(name, to: target) }
            }
            let target = try layer.open("etc", O_RDONLY | O_DIRECTORY)
            try target.makeDirectory("ssl", mode: 0o755)
            for name in names { try TreeCopy.copy(name, from: etc, to: target) }
            for name in ["passwd", "group"] {
                let text = (try? etc.read(name, limit: 4 << 20)) ?? ""
                try target.makeFile(name, Array(AccountFile.systemEntries(of: text).utf8), mode: 0o644)
            }
        }
        try Self.makeOnce(scratchName, in: directory.skeletons) { layer throws(SystemError) in
            try Self.makeDirectories(in: layer)
        }
        for name in try DirectoryListing.names(in: directory.skeletons) where name != hostName && name != scratchName {
            try TreeRemoval.remove(name, in: directory.skeletons)
        }
    }

    private static func makeDirectories(in layer: FileDescriptor) throws(SystemError) {
        for name in [
            "dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "sys", "var", "var/lib", "var/log", "var/cache",
        ] {
            try layer.makeDirectory(name, mode: 0o755)
        }
        try layer.makeDirectory("root", mode: 0o700)
        try layer.makeDirectory("tmp", mode: 0o1777)
        try layer.makeDirectory("var/tmp", mode: 0o1777)
        try layer.makeSymbolicLink("var/run", to: "/run")
        try layer.makeSymbolicLink("etc/mtab", to: "/proc/self/mounts")
    }

    /// Complete under its name or not there at all.
    private static func makeOnce(
        _ name: String, in parent: FileDescriptor, _ fill: (FileDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        if faccessat(parent.raw, name, F_OK, 0) == 0 { return }
        let half = "\(name).half"
        try TreeRemoval.remove(half, in: parent)
        try parent.makeDirectory(half, mode: 0o755)
        try fill(try parent.open(half, O_RDONLY | O_DIRECTORY))
        try systemCall("rename \(half)") { renameat(parent.raw, half, parent.raw, name) }
    }
}
