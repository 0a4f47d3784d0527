import LinuxSystem

/// Makes spool files, and takes them back: an inode costs a file system such as ext4 much more to make than to
/// keep, and most the one that was freed a moment ago.
final class SpoolFiles {
    private let directory: FileDescriptor
    private var free: [SpoolFile] = []
    private static let limit = 64

    init(_ directory: FileDescriptor) { self.directory = directory }

    /// An empty file that nobody else can read or write.
    func take() throws(SystemError) -> SpoolFile {
        // The one given back longest ago: the worker has most likely closed it by now. If not, it gets more time.
        if !free.isEmpty {
            let file = free.removeFirst()
            if file.isOnlyHere, file.empty() { return file }
            free.append(file)
        }
        return try SpoolFile(in: directory)
    }

    /// For files whose sandbox is forgotten. What is in them stays until they are taken, since a worker may still
    /// be reading; a big one is not kept, and its space is free as soon as nobody has it open.
    func giveBack(_ files: [SpoolFile]) {
        for file in files where free.count < Self.limit && file.isSmall { free.append(file) }
    }
}
