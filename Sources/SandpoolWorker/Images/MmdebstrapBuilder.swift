import Glibc
import LinuxSystem
import SandpoolModel

/// Builds Debian root file systems with mmdebstrap(1), never as the host's root.
///
/// The set: `--variant=apt` (essential packages and apt), `ca-certificates` so that HTTPS works, and `python3`,
/// which most jobs that are not shell scripts need. Everything else is a recipe's business.
///
/// Tried, mmdebstrap 1.3.5: as an ordinary user `--mode=unshare` needs an entry in `/etc/subuid` and
/// `/etc/subgid`; as root it needs none because it then makes no user namespace at all. So root gets one from
/// here, with a range of its own, and mmdebstrap believes that it is root inside: the same result, 20 s.
struct MmdebstrapBuilder: Sendable {
    /// Holds the archive, without a name, and the working tree.
    let directory: String

    private static let packages = "ca-certificates,python3"
    /// How often apt asks a mirror again that did not answer well.
    private static let retries = 5
    private static let timeout = Duration.seconds(1_200)
    private static let path = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]

    static func layerPrefix(_ suite: String) -> String { "im-mmdebstrap-\(suite)-" }

    /// `20260131`: a built image is as old as this says.
    static func stamp(_ moment: Timestamp) -> String {
        String(moment.description.prefix(10).filter { $0 != "-" })
    }

    /// `mmdebstrap:SUITE` for a layer that this made.
    static func image(ofLayer name: String) -> String? {
        let prefix = "im-mmdebstrap-"
        guard name.hasPrefix(prefix) else { return nil }
        let rest = name.dropFirst(prefix.count)
        guard let dash = rest.lastIndex(of: "-"), dash > rest.startIndex else { return nil }
        return "mmdebstrap:\(rest[..<dash])"
    }

    /// Builds a suite.
    ///
    /// - Returns: the tar archive, open at its start.
    /// - Throws: `WorkerError` with the last lines of what the program said.
    func build(_ suite: String) async throws -> FileDescriptor {
        guard let program = Self.find("mmdebstrap") else {
            throw WorkerError(
                "mmdebstrap is not installed on this worker; install it with `apt-get install mmdebstrap`")
        }
        let archive = try NamelessFile.make(in: directory)
        let tree = "\(directory)/build-\(suite)"
        try await remove(tree)
        try systemCall("mkdir \(tree)") { mkdir(tree, 0o700) }
        // Whatever the umask: the user mapped to root is another one than this.
        try systemCall("chmod \(tree)") { chmod(tree, 0o711) }
        defer { RemovedTree.remove(tree) }
        let arguments = [program] + Self.arguments(suite, HostAptConfiguration.read())
        let environment = Self.path + ["TMPDIR=\(tree)", "HOME=\(tree)", "LC_ALL=C.UTF-8"]
        let command: BuildCommand
        if geteuid() == 0 {
            try systemCall("chown \(tree)") { chown(tree, BuildIDs.first, BuildIDs.first) }
            command = .inUserNamespace(arguments, environment, firstID: BuildIDs.first)
        } else {
            command = .plain(arguments, environment)
        }
        try await command.run(output: archive, timeout: Self.timeout)
        try systemCall("lseek") { lseek(archive.raw, 0, SEEK_SET) }
        return archive
    }

    /// What a killed build left belongs to ids of its user namespace, and only root of such a one can remove it.
    private func remove(_ tree: String) async throws {
        RemovedTree.remove(tree)
        guard access(tree, F_OK) == 0 else { return }
        let command = BuildCommand.plain(
            ["/usr/bin/unshare", "--map-root-user", "--map-auto", "/bin/rm", "-rf", tree], Self.path)
        try await command.run(output: FileDescriptor.open("/dev/null", O_WRONLY), timeout: Self.timeout)
    }

    static func arguments(_ suite: String, _ host: HostAptConfiguration) -> [String] {
        // Sandboxes have no set-user-id capability, so apt in them must not try to become its own user.
        let snippet = #"echo 'APT::Sandbox::User "root";' > "$1/etc/apt/apt.conf.d/99sandpool""#
        // Nor could its root write where only that user may: root there has no capability to override modes.
        let directories = #""$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial""#
        let partial = "install -d -o root -g root -m 0755 \(directories)"
        // The host's proxy is for the build, not for those who use the image.
        let forget = #"rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap""#
        return ["--mode=unshare", "--variant=apt", "--format=tar", "--include=\(packages)"]
            + ["--aptopt=Acquire::Retries \"\(retries)\""] + host.options.map { "--aptopt=\($0)" }
            + ["--customize-hook=\(forget)", "--customize-hook=\(snippet)", "--customize-hook=\(partial)"] + [
                suite, "-",
            ]
            + (host.mirror(of: suite).map { [$0] } ?? [])
    }

    private static func find(_ name: String) -> String? {
        ["/usr/local/bin", "/usr/bin", "/bin"].map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
