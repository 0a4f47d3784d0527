import LinuxSystem
import SandpoolSandbox

/// What comes with the launcher's `started` and `adopted`: the spools, and where the command has standard input the
/// write end of its pipe and what waits for it.
struct CommandDescriptors {
    let stdout: SpoolFile
    let stderr: SpoolFile
    let input: Input?

    struct Input {
        let pipe: FileDescriptor
        let file: InputFile
    }

    /// `nil` where there are not even spools. An input that cannot be made non-blocking (fcntl(2)) counts as none: the
    /// loop must never wait for a command.
    ///
    /// - Parameter ring: how the streams of a further command lie in their spools.
    init?(_ descriptors: [FileDescriptor], ring: SpoolRing? = nil) {
        guard descriptors.count >= 2 else { return nil }
        stdout = SpoolFile(file: descriptors[0], ring: ring)
        stderr = SpoolFile(file: descriptors[1], ring: ring)
        guard descriptors.count >= 4, (try? descriptors[2].setNonBlocking()) != nil,
            let file = try? InputFile(descriptors[3])
        else {
            input = nil
            return
        }
        input = Input(pipe: descriptors[2], file: file)
    }
}
