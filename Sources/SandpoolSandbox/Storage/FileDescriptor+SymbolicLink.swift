import Glibc
import LinuxSystem

extension FileDescriptor {
    /// Where a symbolic link points, nil when `name` is none.
    func symbolicLink(_ name: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { space in
            space.withMemoryRebound(to: CChar.self) {
                guard let base = $0.baseAddress else { return 0 }
                return readlinkat(raw, name, base, $0.count)
            }
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
