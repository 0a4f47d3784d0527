import Glibc
import LinuxSystem

/// When the coordinator has last heard this worker, for the next process of the same boot: the boot's id and
/// milliseconds of CLOCK_BOOTTIME, one line.
///
/// Not synced: it has to outlive this process, not the host. One that cannot be written keeps an older moment, from
/// which attempts are ended sooner than they had to.
struct RenewalFile: Sendable {
    private let file: FileDescriptor
    private let bootID: String

    init(path: String, bootID: String) throws(SystemError) {
        file = try FileDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        self.bootID = bootID
    }

    /// Nothing where another boot wrote it.
    func load() -> Int64? {
        guard let bytes = try? file.readAll(limit: 256) else { return nil }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == bootID else { return nil }
        return Int64(words[1])
    }

    /// What a longer line leaves behind this one's end is not read.
    func save(_ milliseconds: Int64) { try? file.writeAll(Array("\(bootID) \(milliseconds)\n".utf8), at: 0) }
}
