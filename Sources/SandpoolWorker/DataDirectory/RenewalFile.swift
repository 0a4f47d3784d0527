import Glibc
import LinuxSystem

/// When the coordinator has last heard this worker, and for how long it waits for the next time, for the next process
/// of the same boot: the boot's id, milliseconds of CLOCK_BOOTTIME and milliseconds, one line.
///
/// Not synced: it has to outlive this process, not the host. One that cannot be written or made, as on a full disk,
/// keeps an older moment, from which attempts are ended sooner than they had to.
struct RenewalFile: Sendable {
    private let path: String
    private let bootID: String

    init(path: String, bootID: String) {
        self.path = path
        self.bootID = bootID
    }

    /// Nothing where another boot wrote it.
    func load() -> Renewal? {
        guard let bytes = try? FileDescriptor.open(path, O_RDONLY).readAll(limit: 256) else { return nil }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0] == bootID, let sentMs = Int64(words[1]) else { return nil }
        // An older worker did not say for how long.
        return Renewal(sentMs: sentMs, replaceMs: words.count > 2 ? Int64(words[2]) : nil)
    }

    /// What a longer line leaves behind this one's end is not read.
    func save(_ renewal: Renewal) {
        guard let file = try? FileDescriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600) else { return }
        let words = [bootID, String(renewal.sentMs)] + (renewal.replaceMs.map { [String($0)] } ?? [])
        try? file.writeAll(Array((words.joined(separator: " ") + "\n").utf8), at: 0)
    }
}
