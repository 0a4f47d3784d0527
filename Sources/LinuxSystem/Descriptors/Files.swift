import CLinux
import Glibc

/// Opens a place in the tree and not the file (open(2)); its header shows it only with _GNU_SOURCE.
public let O_PATH: Int32 = 0x20_0000

/// Calls on files relative to an open directory. `name` may not be trusted to stay below it: for paths that
/// come from a sandbox use `openInRoot`.
extension FileDescriptor {
    /// The current directory, for calls that take one.
    public static let currentDirectory = AT_FDCWD

    public static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("open \(path)") { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// A descriptor that stays open for the life of the process and over exec.
    public static func openRaw(_ path: String) throws(SystemError) -> Int32 {
        try systemCall("open \(path)") { Glibc.open(path, O_RDWR) }
    }

    public func open(_ name: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("openat \(name)") { openat(raw, name, flags | O_CLOEXEC, mode) })
    }

    /// Resolves `path` as if this directory were the root, never through a magic link of `/proc`:
    /// openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS.
    public func openInRoot(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> FileDescriptor {
        let inRoot: UInt64 = 0x10
        let noMagicLinks: UInt64 = 0x02
        let flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        return FileDescriptor(
            owning: try systemCall("openat2 \(path)") {
                CLinux_openat2(raw, path, flags, UInt64(mode), inRoot | noMagicLinks)
            })
    }

    /// Makes a directory; one that exists is left as it is.
    public func makeDirectory(_ name: String, mode: mode_t, owner: UInt32? = nil) throws(SystemError) {
        if mkdirat(raw, name, mode) != 0 {
            if errno == EEXIST { return }
            throw SystemError("mkdirat \(name)", code: errno)
        }
        if let owner { try systemCall("fchownat \(name)") { fchownat(raw, name, owner, owner, 0) } }
    }

    /// Makes a new file with these bytes.
    public func makeFile(_ name: String, _ bytes: [UInt8], mode: mode_t, owner: UInt32? = nil) throws(SystemError) {
        let file = try open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        try file.writeAll(bytes)
        if let owner { try systemCall("fchown \(name)") { fchown(file.raw, owner, owner) } }
    }

    public func makeSymbolicLink(_ name: String, to target: String) throws(SystemError) {
        try systemCall("symlinkat \(name)") { symlinkat(target, raw, name) }
    }

    /// Writes to a file whose whole content is one write, such as those of cgroupfs and procfs.
    public func write(_ text: String, to name: String) throws(SystemError) {
        let file = try open(name, O_WRONLY)
        let bytes = Array(text.utf8)
        try systemCall("write \(name)") { Glibc.write(file.raw, bytes, bytes.count) }
    }

    public func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            offset += try systemCall("write") {
                bytes.withUnsafeBytes { Glibc.write(raw, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
            }
        }
    }

    /// Writes at a position of a file and leaves its current offset alone: pwrite(2).
    public func writeAll(_ bytes: [UInt8], at position: Int) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            offset += try systemCall("pwrite") {
                bytes.withUnsafeBytes {
                    pwrite(raw, $0.baseAddress.map { $0 + offset }, $0.count - offset, off_t(position + offset))
                }
            }
        }
    }

    /// Reads from the current offset to the end, at most `limit` bytes; a longer file is EFBIG.
    public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Most files read so are small: a big buffer would be cleared, page by page, for nothing.
        var buffer = [UInt8](repeating: 0, count: min(limit + 1, 4_096))
        while true {
            let count = try systemCall("read") { Glibc.read(raw, &buffer, buffer.count) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count > limit { throw SystemError("read", code: EFBIG) }
            if count == buffer.count, count < 65_536 { buffer = [UInt8](repeating: 0, count: 65_536) }
        }
    }

    /// The text of a small file, such as those of procfs and cgroupfs.
    public func read(_ name: String, limit: Int = 65_536) throws(SystemError) -> String {
        String(decoding: try open(name, O_RDONLY).readAll(limit: limit), as: UTF8.self)
    }
}
