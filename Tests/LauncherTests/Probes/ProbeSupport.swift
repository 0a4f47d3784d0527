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
    let socketName: String
    let port: UInt16
    private let listeners: [FileDescriptor]

    init() throws {
        socketName = "sandpool-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let unix = FileDescriptor(owning: try systemCall("socket") { socket(AF_UNIX, Self.kind, 0) })
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(socketName.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        try Self.listen(unix, &name, MemoryLayout<sa_family_t>.size + bytes.count)
        let internet = FileDescriptor(owning: try systemCall("socket") { socket(AF_INET, Self.kind, 0) })
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        try Self.listen(internet, &address, MemoryLayout<sockaddr_in>.size)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(internet.raw, $0, &size) }
        }
        port = UInt16(bigEndian: address.sin_port)
        listeners = [unix, internet]
    }

    private static let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

    private static func listen<Address>(_ file: FileDescriptor, _ address: inout Address, _ size: Int) throws {
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = try systemCall("bind") { bind(file.raw, pointer, socklen_t(size)) }
            }
        }
        try systemCall("listen") { Glibc.listen(file.raw, 16) }
    }

    var surroundings: Surroundings {
        var around = Surroundings()
        around.hostSocket = socketName
        around.endpoints = [Surroundings.Endpoint(address: 0x7f00_0001, port: port)]
        around.setUIDProgram = UserIDProgram.bytes == nil ? nil : ProbeLayer.setUIDProgram
        return around
    }
}
