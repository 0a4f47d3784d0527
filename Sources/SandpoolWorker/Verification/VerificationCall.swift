import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// The other side of `VerificationDoor`.
public enum VerificationCall {
    private static let limit = 8 << 20

    /// Asks the worker that runs in one of these directories; nil when none does.
    ///
    /// - Parameter directories: absolute paths.
    public static func ask(in directories: [String], _ extent: VerificationExtent) throws -> Verification? {
        for directory in directories {
            let path = VerificationDoor.path(in: directory)
            let socket: SeqPacketSocket
            do throws(SystemError) {
                socket = try SeqPacketSocket.connect(path: path)
            } catch {
                if [ENOENT, ENOTDIR, ECONNREFUSED].contains(error.code) { continue }
                throw WorkerError("\(error); run as root or as the worker's user")
            }
            try socket.send(Array(extent.rawValue.utf8))
            guard let message = try socket.receive(limit: 64), let file = message.descriptors.first else {
                throw WorkerError("the worker in \(directory) gave no answer; see its log")
            }
            return try WireJSON.decode(Verification.self, from: file.readAll(limit: limit))
        }
        return nil
    }
}
