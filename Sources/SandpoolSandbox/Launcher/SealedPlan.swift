import CLinux
import Glibc
import LinuxSystem

/// Reads a plan from a memfd that nobody can change any more (memfd_create(2), F_ADD_SEALS).
enum SealedPlan {
    private static let required: Int32 = 0x2 | 0x4 | 0x8
    private static let getSeals: Int32 = 1_034

    static func read(_ descriptor: FileDescriptor) throws(StageError) -> SandboxPlan {
        let seals = fcntl(descriptor.raw, getSeals)
        guard seals >= 0, seals & required == required else {
            throw StageError(
                "plan", "the plan is not in a memfd sealed against shrinking, growing and writing", kind: .spec)
        }
        let bytes = try stage("plan", kind: SandboxFailure.Kind.ofImage) { () throws(SystemError) in
            try systemCall("lseek") { lseek(descriptor.raw, 0, SEEK_SET) }
            return try descriptor.readAll(limit: LauncherProtocol.planLimit)
        }
        do throws(CodecError) {
            return try SandboxPlan(decoding: bytes)
        } catch {
            throw StageError("plan", "the plan cannot be read: \(error)", kind: .spec)
        }
    }
}
