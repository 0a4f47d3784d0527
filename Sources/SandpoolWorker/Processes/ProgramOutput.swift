import Glibc
import LinuxSystem

enum ProgramOutput {
    private static let limit = 4 << 20

    /// What a small program prints, or `nil` when it is missing or fails. Blocks.
    static func read(_ arguments: [String]) -> String? {
        guard let first = arguments.first, access(first, X_OK) == 0 else { return nil }
        do {
            let readEnd: FileDescriptor
            let pid: pid_t
            do {
                let pipe = try Pipe()
                readEnd = pipe.readEnd
                pid = try ProcessSpawn.start(
                    arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
                    descriptors: [(pipe.writeEnd.raw, 1)])
            }
            let bytes = try? readEnd.readAll(limit: limit)
            var status: Int32 = 0
            try systemCall("waitpid") { waitpid(pid, &status, 0) }
            return status == 0 ? bytes.map { String(decoding: $0, as: UTF8.self) } : nil
        } catch {
            return nil
        }
    }
}
