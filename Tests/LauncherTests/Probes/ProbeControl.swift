import Foundation
import LinuxSystem
import SandpoolProbes

/// A probe run with what protects from it taken away: by a process that joins a real sandbox from outside (setns(2))
/// and leaves out the parts in question. It never has the filter, which a process that joins does not get.
struct ProbeControl {
    let probe: Probe
    private let gone: Set<Protection>
    /// The sandbox's first process, as the host sees it.
    private let first: pid_t

    init(_ probe: Probe, first: pid_t) {
        self.probe = probe
        self.first = first
        gone = Set(probe.protections)
    }

    /// Whether one who joins can leave the parts out. Those of a filter in the network cannot be.
    static func canShow(_ probe: Probe) -> Bool {
        !probe.protections.isEmpty && probe.network != .open
    }

    func run(_ around: Surroundings) throws -> Finding {
        var around = around
        if gone.contains(.pidNamespace) { around.firstPID = first }
        let isInside = gone.isDisjoint(with: [.mountNamespace, .firstProcess])
        let program = try isInside ? ProbeLayer.program : LauncherProcess.binary("sandpool-probe")
        let words = polluted + join + own + confined + [program] + around.arguments + ["--only", probe.name]
        let process = Process()
        let output = Foundation.Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + words
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let finding = try Finding.all(in: text).first else {
            throw TestFailure(
                "\(probe.name): \(words.joined(separator: " ")) said nothing, \(process.terminationStatus)")
        }
        return finding
    }

    /// Puts something in the way of a sandbox that starts clean.
    private var polluted: [String] {
        if gone.contains(.closedDescriptors) { return ["/bin/sh", "-c", "exec 9</etc/passwd; exec \"$@\"", "sh"] }
        if gone.contains(.cleanEnvironment) { return ["/usr/bin/env", "HOST_SECRET=1"] }
        return []
    }

    private var join: [String] {
        if gone.contains(.firstProcess) { return withoutFirst }
        let kinds: [(Protection?, String)] = [
            (.userNamespace, "--user"), (.mountNamespace, "--mount"), (.pidNamespace, "--pid"),
            (.netNamespace, "--net"),
            (.cgroupNamespace, "--cgroup"), (nil, "--ipc"), (nil, "--uts"),
        ]
        let joined = kinds.filter { kind, _ in kind.map { !gone.contains($0) } ?? true }.map(\.1)
        let identity = gone.contains(.userNamespace) ? [] : ["-S", "0", "-G", "0"]
        return ["/usr/bin/nsenter", "-t", "\(first)"] + joined + identity
    }

    /// As the first process itself, which reaps nothing but what it waits for, of a pid namespace of its own. The user
    /// is the sandbox's: its namespace is open before the new `/proc` hides it.
    private var withoutFirst: [String] {
        [
            "/bin/sh", "-c", "exec 8</proc/\(first)/ns/user; exec \"$@\"", "sh", "/usr/bin/unshare", "--mount", "--pid",
            "--fork", "--mount-proc", "/usr/bin/nsenter", "--user=/proc/self/fd/8", "-S", "0", "-G", "0",
        ]
    }

    private var hasCapabilities: Bool { gone.contains(.capabilities) || gone.contains(.userNamespace) }

    /// Where it can change mounts, a copy of the sandbox's, so that it does not change those of the host.
    private var own: [String] {
        if gone.contains(.noSetUID) {
            return [
                "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                "mount -o remount,bind,suid \(ProbeLayer.path) && exec \"$@\"", "sh",
            ]
        }
        return hasCapabilities ? ["/usr/bin/unshare", "--mount"] : []
    }

    private var confined: [String] {
        var words = gone.contains(.noNewPrivileges) ? [] : ["--no-new-privs"]
        if !hasCapabilities { words += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"] }
        // Root has nothing to gain from a setuid program.
        if gone.contains(.noSetUID) { words += ["--reuid=1000", "--regid=1000", "--clear-groups"] }
        return words.isEmpty ? [] : ["/usr/bin/setpriv"] + words
    }
}

extension Probe {
    /// What the kernel says where this host lacks what the probe attacks, with or without protection.
    static let absent = [ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOENT, ENODEV, ENETUNREACH, ENXIO]
        .map { String(cString: strerror($0)) }

    /// The capability (capabilities(7)) without which not even the host's root gets through, where a container may
    /// have been denied it.
    var hostCapability: Int? {
        switch name {
        case "raise-limits": return 24
        case "reboot", "kexec": return 22
        case "init-module", "finit-module", "delete-module": return 16
        case "clock": return 25
        case "io-ports": return 17
        default: return nil
        }
    }

    /// Whether this process has it.
    var hasHostCapability: Bool {
        guard let number = hostCapability else { return true }
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") } ?? ""
        let set = UInt64(line.split(separator: "\t").last ?? "", radix: 16) ?? 0
        return set & (1 << UInt64(number)) != 0
    }
}
