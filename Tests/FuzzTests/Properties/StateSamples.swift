@testable import SandpoolSandbox

/// What a launcher hands over, with each field at a value of its own.
enum StateSamples {
    private static func process(_ number: Int32) -> LauncherState.Process {
        LauncherState.Process(pid: UInt32(number) + 1_000, descriptor: number)
    }

    private static func command(
        _ token: UInt64, _ phase: LauncherState.Phase, output: Int32
    ) -> LauncherState.CommandState {
        LauncherState.CommandState(
            token: token, requestedMicros: 1, startedMs: 2, setupMicros: 3, phase: phase, reason: .cancelled,
            killAtMs: 4, outputFailure: SandboxFailure(stage: "s", errno: 5, message: "m", kind: .setup),
            standardOutput: output, standardError: output + 1,
            standardInput: .init(pipe: output + 2, waiting: output + 3))
    }

    private static let resources = LauncherState.SandboxState.Resources(
        slot: 1, cgroup: .init(hasMain: true, hasHadChildren: true, isDivided: true, oomNotice: 10),
        writable: .init(
            mount: 11, disk: .project(id: 1 << 30, bytes: 12, inodes: 13), bytesAtFirst: 14, inodesAtFirst: 15,
            isAttached: true, copies: [.init(name: "c", size: 16, seconds: 17, nanoseconds: 18)]),
        namespace: 19, networkToken: 20, first: process(21), go: 27, failure: 28, status: 29)

    static let full = LauncherState(
        upgrades: 1, lastToken: 9, lock: 3, spooler: process(4), spoolerSocket: 5,
        cgroups: .versionOne(memory: "/m", pids: "/p", cpu: "/c", unified: "/u"),
        skeleton: .init(fingerprint: "f", hostName: "host-f", scratchName: "scratch-2"), seed: 6,
        slots: [.init(index: 1, attached: [.init(name: "host", place: 0)], freePlaces: [1])], freeSlots: [1],
        layerRemovals: 7, unattended: [8],
        network: .init(
            plan: 1, datagram: 30, stream: 31, usedSlots: 3, lastToken: 20,
            forwarder: .init(process: process(32), control: 33),
            sandboxes: [
                .init(token: 20, slot: 2, namespace: 19, netfilter: 34, policy: LauncherSamples.plans[0].network)
            ]),
        sandboxes: [
            .init(
                plan: LauncherSamples.plans[0], command: command(1, .running, output: 40), isListed: true,
                isKilled: true, memorySearch: MemorySearch(noticed: 1, looksLeft: 2, isUnderWay: true),
                downloadSink: 44, resources: resources),
            .init(
                plan: LauncherSamples.plans[1], command: command(2, .ended(LauncherSamples.report), output: 50),
                isListed: false, isKilled: false, memorySearch: MemorySearch(), downloadSink: nil, resources: nil),
        ],
        execs: [
            .init(
                plan: LauncherSamples.execPlans[0], sandbox: 1, command: command(3, .running, output: 60),
                isForgotten: true, isKilled: false, isOutOfMemory: true,
                processes: .init(command: process(64), failure: 65))
        ],
        service: .init(
            instance: "i", listener: 70, isDismissed: true, worker: .init(socket: 71, version: 6),
            held: [.init(bytes: [1, 2], descriptors: [72, 73])]))

    static let empty = LauncherState(
        upgrades: 0, lastToken: 0, lock: 3, spooler: process(4), spoolerSocket: 5, cgroups: .delegated(parent: "/d"),
        skeleton: .init(fingerprint: "", hostName: "", scratchName: ""), seed: 6, slots: [], freeSlots: [],
        layerRemovals: 0, unattended: [], network: nil, sandboxes: [], execs: [],
        service: .init(instance: "", listener: 7, isDismissed: false, worker: nil, held: []))

    static func body(_ state: LauncherState) -> [UInt8] {
        var writer = ByteWriter()
        state.write(to: &writer)
        return writer.bytes
    }

    /// What is inside of the check sum, which no mutation would get through.
    static func decode(_ bytes: [UInt8]) throws(CodecError) -> LauncherState {
        var reader = ByteReader(bytes)
        let state = try LauncherState(from: &reader)
        try reader.expectEnd()
        return state
    }
}
