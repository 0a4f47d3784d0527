import Glibc
import LinuxSystem

/// A terminal that nobody sits at: what a program writes to it can be read (pty(7)).
struct PseudoTerminal {
    private let master: FileDescriptor
    let path: String

    /// ioctl_tty(2): TIOCSPTLCK and TIOCGPTN, which Swift does not import.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    init() throws {
        let master = try FileDescriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (unlocked, number): (Int32, Int32) = (0, 0)
        try systemCall("TIOCSPTLCK") { ioctl(master.raw, Self.setLock, &unlocked) }
        try systemCall("TIOCGPTN") { ioctl(master.raw, Self.getNumber, &number) }
        try master.setNonBlocking()
        self.master = master
        path = "/dev/pts/\(number)"
    }

    /// What was written so far. A terminal holds a few kilobytes.
    func output() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(master.raw, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
