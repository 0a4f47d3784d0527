import Foundation
import Glibc

/// Everything of a launcher with open networks on the host, sandboxes in every state having come and gone.
struct HostTraces: Equatable {
    /// Descriptors, cgroups, mounts and processes of the launcher.
    var launcher: LauncherState
    /// Descriptors of its children by name: spooler and DNS forwarder.
    var children: [String: Int]
    /// Interfaces, addresses, routes and rules of the net namespace that stands for the host.
    var network: [String]
    /// Files in the data directory.
    var files: [String]
    /// Loop devices that a file of the data directory stands behind.
    var loopDevices: [String]

    init(of process: LauncherProcess, enter: [String]) throws {
        launcher = try LauncherState(of: process).withoutCaches
        // A slot that is free again keeps its directory; how many there are is looked at apart.
        launcher.directories = []
        children = [:]
        for id in launcher.children {
            let name = (try? String(contentsOfFile: "/proc/\(id)/comm", encoding: .utf8)) ?? ""
            let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) ?? 0
            children["\(id) \(name)"] = open
        }
        let script = "ip -o link; ip -o addr; ip route; nft list ruleset"
        let said = try Command.run(enter + ["/bin/sh", "-ec", script])
        network = said.split(separator: "\n").map(Self.lasting).sorted()
        files = try FileManager.default.subpathsOfDirectory(atPath: process.dataDirectory).sorted()
        loopDevices = ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []).filter { name in
            let file = "/sys/block/\(name)/loop/backing_file"
            return (try? String(contentsOfFile: file, encoding: .utf8))?.hasPrefix(process.dataDirectory) == true
        }
    }

    /// Ready net namespaces are used once each, so that the next one has another link, with other numbers in it. An
    /// IPv6 address is tentative for a second, in which the kernel looks for another host that has it (RFC 4862, 5.4).
    private static func lasting(_ line: Substring) -> String {
        String(line.replacing(#/[0-9a-f:.\/]*[0-9][0-9a-f:.\/]*/#, with: "N").replacing(" tentative", with: ""))
    }

    /// Of the launcher's memory, what is in RAM, in KiB (proc_pid_status(5)).
    static func residentKiB(of process: LauncherProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let words = line?.split(separator: " "), words.count > 1, let number = Int(words[1].drop { !$0.isNumber })
        else { throw TestFailure("no VmRSS in \(status)") }
        return number
    }

    /// Id ranges that the launcher ever had in use at once.
    static func slots(of process: LauncherProcess) throws -> Int {
        let path = "/proc/\(process.pid)/root\(process.dataDirectory)/run/slots"
        return try FileManager.default.contentsOfDirectory(atPath: path).count
    }

    /// The traces once they do not change any more, every sandbox's cgroup being gone.
    static func atRest(_ process: LauncherProcess, enter: [String], like wanted: HostTraces? = nil) throws -> HostTraces
    {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        var last = try HostTraces(of: process, enter: enter)
        var same = 0
        while same < 20 {
            let next = try HostTraces(of: process, enter: enter)
            same = next == last && next.launcher.cgroups.isEmpty && (wanted == nil || next == wanted) ? same + 1 : 0
            last = next
            if clock.now > end { return last }
        }
        return last
    }
}
