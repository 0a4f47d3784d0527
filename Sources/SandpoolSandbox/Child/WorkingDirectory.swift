import Glibc
import LinuxSystem

/// Changes to the command's working directory, making what the image lacks for the command's user.
enum WorkingDirectory {
    static func enter(_ path: String, root: FileDescriptor, owner: Account) throws(StageError) {
        do throws(SystemError) {
            let directory = try RootedPath.makeDirectory(path, in: root, owner: (owner.user, owner.group))
            try systemCall("fchdir \(path)") { fchdir(directory.raw) }
        } catch {
            throw StageError(
                "workdir", "working directory \(path): \(error)", code: error.code, kind: .ofImage(error.code))
        }
    }
}
