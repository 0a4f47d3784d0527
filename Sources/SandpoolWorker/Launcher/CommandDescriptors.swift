import LinuxSystem
import SandpoolSandbox

/// What comes with the launcher's `started` and `adopted`: the spools, and the write end of standard input where the
/// command has one.
struct CommandDescriptors {
    let stdout: SpoolFile
    let stderr: SpoolFile
    let input: FileDescriptor?

    /// `nil` where there are not even spools. An input that cannot be made non-blocking (fcntl(2)) counts as none: the
    /// loop must never wait for a command.
    ///
    /// - Parameter ring: how the streams of a further command lie in their spools.
    init?(_ descriptors: [FileDescriptor], ring: SpoolRing? = nil) {
        guard descriptors.count >= 2 else { return nil }
        stdout = SpoolFile(file: descriptors[0], ring: ring)
        stderr = SpoolFile(file: descriptors[1], ring: ring)
        let pipe = descriptors.count >= 3 ? descriptors[2] : nil
        input = pipe.flatMap { (try? $0.setNonBlocking()) == nil ? nil : $0 }
    }
}
