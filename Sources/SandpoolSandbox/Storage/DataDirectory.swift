import Glibc
import LinuxSystem

/// The launcher's own directory: locked by one launcher at a time, with the version of its format.
///
///     lock  version  cgroups  forwarding  layers/  skeletons/  spool/  disks/  projects/
///     run/ (a mount that only the launcher sees)
final class DataDirectory {
    static let version = 1

    let path: String
    let directory: FileDescriptor
    let layers: FileDescriptor
    let skeletons: FileDescriptor
    let spool: FileDescriptor
    /// For files without names: always empty to look at.
    let disks: FileDescriptor
    /// A directory for each sandbox whose disk is one, named by its project id.
    let projects: FileDescriptor
    let lock: FileDescriptor

    /// - Parameter lock: held by the program before in this process; else it is taken.
    init(_ path: String, holding held: FileDescriptor? = nil) throws(LauncherError) {
        do throws(SystemError) {
            if mkdir(path, 0o700) != 0, errno != EEXIST { throw SystemError("mkdir \(path)", code: errno) }
            directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
            if let held { lock = held } else { lock = try directory.open("lock", O_RDWR | O_CREAT, mode: 0o600) }
            for name in ["layers", "skeletons", "spool", "disks", "projects", "run"] {
                try directory.makeDirectory(name, mode: 0o700)
            }
            layers = try directory.open("layers", O_RDONLY | O_DIRECTORY)
            skeletons = try directory.open("skeletons", O_RDONLY | O_DIRECTORY)
            spool = try directory.open("spool", O_RDONLY | O_DIRECTORY)
            disks = try directory.open("disks", O_RDONLY | O_DIRECTORY)
            projects = try directory.open("projects", O_RDONLY | O_DIRECTORY)
        } catch {
            throw LauncherError("data directory \(path): \(error); it must be on a local file system and owned by root")
        }
        self.path = path
        guard isLockedInTime() else {
            throw LauncherError("data directory \(path) is in use by another launcher")
        }
        try checkVersion()
    }

    /// How long one that ends is waited for: its worker is gone before it, and the next one may come at once.
    private static let patienceMs: UInt64 = 5_000
    private static let lookMicroseconds: UInt32 = 5_000

    /// flock(2) knows no time limit.
    private func isLockedInTime() -> Bool {
        let deadline = BoottimeClock.milliseconds() + Self.patienceMs
        while flock(lock.raw, LOCK_EX | LOCK_NB) != 0 {
            guard BoottimeClock.milliseconds() < deadline else { return false }
            usleep(Self.lookMicroseconds)
        }
        return true
    }

    private func checkVersion() throws(LauncherError) {
        do throws(SystemError) {
            let text: String
            do throws(SystemError) {
                text = try directory.read("version", limit: 64).filter { !$0.isWhitespace }
            } catch  where error.code == ENOENT {
                try directory.makeFile("version", Array("\(Self.version)\n".utf8), mode: 0o600)
                return
            }
            guard let found = Int(text), found <= Self.version else {
                throw SystemError(
                    "version \(text.prefix(20)) was written by a newer Sandpool; upgrade this one", code: EINVAL)
            }
        } catch {
            throw LauncherError("data directory \(path): \(error)")
        }
    }
}

/// Why the launcher cannot run: one line for people.
struct LauncherError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
