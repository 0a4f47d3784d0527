import CLinux
import Glibc

/// A block device whose content is a file (loop(4)). The kernel takes it down when its last user is gone: there is
/// nothing to detach, whoever dies.
public struct LoopDevice: Sendable {
    public let path: String
    /// Keeps the device until something else does, such as a mount.
    public let descriptor: FileDescriptor

    public static let control = "/dev/loop-control"
    /// Others take devices too, between the question for a free one and its use.
    private static let attempts = 64

    /// Lays a device over the file, whose size is a multiple of `blockBytes`. Needs Linux 5.8 (LOOP_CONFIGURE).
    public init(over file: FileDescriptor, blockBytes: UInt32) throws(SystemError) {
        let control = try FileDescriptor.open(Self.control, O_RDWR)
        for _ in 0..<Self.attempts {
            let number = try systemCall("ioctl LOOP_CTL_GET_FREE") { CLinux_loop_free(control.raw) }
            let path = "/dev/loop\(number)"
            let device = try FileDescriptor.open(path, O_RDWR)
            if CLinux_loop_configure(device.raw, file.raw, blockBytes) == 0 {
                self.path = path
                descriptor = device
                return
            }
            if errno != EBUSY { throw SystemError("ioctl LOOP_CONFIGURE \(path)", code: errno) }
        }
        throw SystemError("ioctl LOOP_CONFIGURE", code: EBUSY)
    }
}
