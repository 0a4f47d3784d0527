import Foundation
import LinuxSystem
import SandpoolProbes
import SandpoolSandbox
import Testing

/// The probe program as a layer, and what it printed.
enum ProbeLayer {
    static let path = "/opt/probe"
    static let program = "\(path)/sandpool-probe"
    static let setUIDProgram = "\(path)/user-id"
    static let mount = SandboxPlan.TreeMount(layer: "probe", path: path, isFile: false)

    /// A limit on open files that any host's root is above, whatever a container left him, and a launcher's prefix
    /// that sets it for the launcher and its sandboxes.
    static let files = 4_096
    static let fewFiles = ["/usr/bin/prlimit", "--nofile=\(files):\(files)"]

    static func add(to launcher: LauncherClient) throws {
        let program = try Data(contentsOf: URL(filePath: LauncherProcess.binary("sandpool-probe")))
        var programs = [TarEntry("sandpool-probe", Array(program), mode: 0o755)]
        if let bytes = UserIDProgram.bytes { programs.append(TarEntry("user-id", bytes, mode: 0o4755)) }
        try launcher.importLayer("probe", try Archive.make(programs))
    }
}

struct Finding: Decodable, Equatable {
    var probe: String
    var topic: String
    var result: String
    var detail: String

    static func all(in text: String) throws -> [Finding] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(Finding.self, from: Data($0.utf8)) }
    }
}

extension SandboxPlan {
    static func probe(
        _ around: Surroundings, only: [String] = [], user: String = "0", id: String = "probe",
        network: Network = .blocked
    ) -> SandboxPlan {
        var plan = SandboxPlan.test(
            ProbeLayer.program, id: id, user: user, mounts: [ProbeLayer.mount], memory: UInt64(around.memoryBytes),
            pids: UInt32(around.pids), disk: UInt64(around.diskBytes))
        plan.arguments += around.arguments + only.flatMap { ["--only", $0] }
        plan.network = network
        return plan
    }
}

/// Listens on this host where a sandbox must not get to.
final class Bait {
    private let unix: AbstractListener
    private let internet: FileDescriptor
    private let port: UInt16

    init() throws {
        unix = try AbstractListener("sandpool-test")
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let internet = FileDescriptor(owning: try systemCall("socket") { socket(AF_INET, kind, 0) })
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = try systemCall("bind") { bind(internet.raw, pointer, size) }
                _ = try systemCall("getsockname") { getsockname(internet.raw, pointer, &size) }
            }
        }
        _ = try systemCall("listen") { listen(internet.raw, 16) }
        port = UInt16(bigEndian: address.sin_port)
        self.internet = internet
    }

    var surroundings: Surroundings {
        var around = Surroundings()
        around.hostSocket = unix.name
        around.endpoints = [Surroundings.Endpoint(address: 0x7f00_0001, port: port)]
        around.setUIDProgram = UserIDProgram.bytes == nil ? nil : ProbeLayer.setUIDProgram
        return around
    }
}
