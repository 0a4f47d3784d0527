import CLinux
import Glibc
import LinuxSystem

/// What the worker writes into a memfd for the launcher.
protocol SealablePlan {
    /// - Parameter withCommand: whether arguments and environment are read too; else they are empty.
    init(decoding bytes: [UInt8], withCommand: Bool) throws(CodecError)
}

extension SandboxPlan: SealablePlan {}
extension ExecPlan: SealablePlan {}

/// A plan in a memfd that nobody can change any more (memfd_create(2), F_ADD_SEALS).
///
/// It is read twice: by the launcher, which leaves the command and its environment where they are, and whole by the
/// process that becomes the command. Each pid 1 is a copy of the launcher's memory, where the secrets of other jobs
/// must not be.
struct SealedPlan<Plan: SealablePlan> {
    let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) throws(StageError) {
        guard SealedFile.isSealed(descriptor) else {
            throw StageError(
                "plan", "the plan is not in a memfd sealed against shrinking, growing and writing", kind: .spec)
        }
        self.descriptor = descriptor
    }

    /// The plan without arguments and environment.
    func outline() throws(StageError) -> Plan { try read(withCommand: false) }

    func whole() throws(StageError) -> Plan { try read(withCommand: true) }

    private func read(withCommand: Bool) throws(StageError) -> Plan {
        var bytes = try stage("plan", kind: SandboxFailure.Kind.ofImage) { () throws(SystemError) in try content() }
        // What is freed stays in memory as it was.
        defer { bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { explicit_bzero(start, $0.count) } } }
        do throws(CodecError) {
            return try Plan(decoding: bytes, withCommand: withCommand)
        } catch {
            throw StageError("plan", "the plan cannot be read: \(error)", kind: .spec)
        }
    }

    /// In one piece of memory, and not at the offset, which the worker shares.
    private func content() throws(SystemError) -> [UInt8] {
        var state = stat()
        try systemCall("fstat") { fstat(descriptor.raw, &state) }
        guard (0...off_t(LauncherProtocol.planLimit)).contains(state.st_size) else {
            throw SystemError("read", code: EFBIG)
        }
        var bytes = [UInt8](repeating: 0, count: Int(state.st_size))
        var offset = 0
        while offset < bytes.count {
            let count = try systemCall("pread") {
                bytes.withUnsafeMutableBytes {
                    pread(descriptor.raw, $0.baseAddress.map { $0 + offset }, $0.count - offset, off_t(offset))
                }
            }
            guard count > 0 else { throw SystemError("pread", code: EIO) }
            offset += count
        }
        return bytes
    }
}
