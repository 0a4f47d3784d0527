import Glibc
import LinuxSystem

/// Facts about this host that do not change while it is up.
enum HostFacts {
    /// `/proc/sys/kernel/random/boot_id` (random(4)): another one after every boot.
    static func bootID() throws -> String {
        let bytes = try FileDescriptor.open("/proc/sys/kernel/random/boot_id", O_RDONLY).readAll(limit: 128)
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }

    /// gethostname(2).
    static func name() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
