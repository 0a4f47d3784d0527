import Glibc

/// Lines on standard error, where systemd's journal takes them.
enum Diagnostics {
    static func write(_ line: String) {
        let bytes = Array("sandpool-launcher: \(line)\n".utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
