import Glibc
import LinuxSystem
import SandpoolModel

/// What a verification holds for: this boot of this kernel, and these programs.
struct VerificationIdentity: Sendable {
    let bootID: String
    let kernel: String
    let softwareVersion: String
    let programs: String
    private let program: String?

    init(bootID: String) {
        self.bootID = bootID
        softwareVersion = Version.current
        var names = utsname()
        uname(&names)
        kernel = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        program = try? LauncherProgram.find("sandpool-probe").path
        let launcher = try? LauncherProgram.find().path
        programs = [launcher, program].map { $0.map(Self.stamp) ?? "none" }.joined(separator: " ")
    }

    /// The probe program on this host.
    func probeProgram() throws -> String {
        if let program { return program }
        return try LauncherProgram.find("sandpool-probe").path
    }

    func verification(at now: Timestamp) -> Verification {
        Verification(at: now, bootID: bootID, kernel: kernel, softwareVersion: softwareVersion, programs: programs)
    }

    /// Whether an earlier verification says the same of what is here now.
    func isOf(_ earlier: Verification) -> Bool {
        earlier.bootID == bootID && earlier.kernel == kernel && earlier.softwareVersion == softwareVersion
            && earlier.programs == programs
    }

    /// Tells one build of a program from another without reading it.
    private static func stamp(_ path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { return "none" }
        return "\(status.st_ino)-\(status.st_size)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}
