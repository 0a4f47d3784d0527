import Glibc

/// Everything that a launcher knows and the kernel does not: what the program that takes its place goes on with.
///
/// What is ready ahead of need, such as namespaces and disks, is in none of it: that is made again.
struct LauncherState: Equatable {
    /// The number under which a descriptor stays open over execve(2).
    typealias Descriptor = Int32

    /// How many programs have handed over by now.
    var upgrades: UInt32
    var lastToken: UInt64
    /// The lock on the data directory.
    var lock: Descriptor
    var spooler: Process
    var spoolerSocket: Descriptor
    var cgroups: CgroupPlacement
    /// The host's image stays what it was: sandboxes are on it.
    var skeleton: Skeleton
    /// The mount namespace that sandboxes are cloned from.
    var seed: Descriptor
    var slots: [SlotState]
    /// In the order in which they were given back.
    var freeSlots: [UInt32]
    var layerRemovals: UInt64
    /// Children that are only waited for.
    var unattended: [UInt32]
    /// Of open sandboxes; nil before the first.
    var network: NetworkState?
    var sandboxes: [SandboxState]
    var execs: [ExecState]
    var service: ServiceState

    struct Process: Equatable {
        var pid: UInt32
        var descriptor: Descriptor
    }

    struct Skeleton: Equatable {
        var fingerprint: String
        var hostName: String
        var scratchName: String
    }

    struct SlotState: Equatable {
        var index: UInt32
        var attached: [Lower]
        var freePlaces: [UInt32]

        struct Lower: Equatable {
            var name: String
            var place: UInt32
        }
    }

    /// What a sandbox's main command and a further one have in common.
    struct CommandState: Equatable {
        var token: UInt64
        var requestedMicros: UInt64
        var startedMs: UInt64
        var setupMicros: UInt64
        var phase: Phase
        var reason: ExitReport.Reason
        var killAtMs: UInt64?
        var outputFailure: SandboxFailure?
        var standardOutput: Descriptor
        var standardError: Descriptor
        /// The pipe, and the file with what waits for it.
        var standardInput: Input?

        struct Input: Equatable {
            var pipe: Descriptor
            var waiting: Descriptor
        }
    }

    /// None in set-up: that is waited for.
    enum Phase: Equatable {
        case running
        case draining(ExitReport)
        case ended(ExitReport)
        case failed(SandboxFailure)
    }

    struct SandboxState: Equatable {
        /// Without the command.
        var plan: SandboxPlan
        var command: CommandState
        /// Whether the worker has not released it; else a further command of it is left.
        var isListed: Bool
        var isKilled: Bool
        var memorySearch: MemorySearch
        var downloadSink: Descriptor?
        var resources: Resources?

        struct Resources: Equatable {
            var slot: UInt32
            var cgroup: CgroupState
            var writable: WritableState
            var namespace: Descriptor
            var networkToken: UInt64
            var first: Process
            var go: Descriptor
            var failure: Descriptor
            var status: Descriptor
        }
    }

    struct CgroupState: Equatable {
        var hasMain: Bool
        var hasHadChildren: Bool
        var isDivided: Bool
        var oomNotice: Descriptor?
    }

    struct WritableState: Equatable {
        var mount: Descriptor
        var disk: Disk
        var bytesAtFirst: UInt64
        var inodesAtFirst: UInt64
        var isAttached: Bool
        var copies: [Copy]

        enum Disk: Equatable {
            case none
            case image(bytes: UInt64, file: Descriptor)
            case project(id: UInt32, bytes: UInt64, inodes: UInt64)
        }

        struct Copy: Equatable {
            var name: String
            var size: UInt64
            var seconds: UInt64
            var nanoseconds: UInt64
        }
    }

    struct ExecState: Equatable {
        /// Without the command.
        var plan: ExecPlan
        /// The token of its sandbox.
        var sandbox: UInt64
        var command: CommandState
        var isForgotten: Bool
        var isKilled: Bool
        var isOutOfMemory: Bool
        /// As long as it has any.
        var processes: Processes?

        struct Processes: Equatable {
            var command: Process
            var failure: Descriptor
        }
    }

    struct NetworkState: Equatable {
        /// The number of its `AddressPlan`.
        var plan: UInt32
        var datagram: Descriptor
        var stream: Descriptor
        /// How many addresses were ever used.
        var usedSlots: UInt32
        var lastToken: UInt64
        var forwarder: Forwarder?
        var sandboxes: [OpenSandbox]

        struct Forwarder: Equatable {
            var process: Process
            var control: Descriptor
        }

        struct OpenSandbox: Equatable {
            var token: UInt64
            var slot: UInt32
            var namespace: Descriptor
            var netfilter: Descriptor
            var policy: SandboxPlan.Network
        }
    }

    struct ServiceState: Equatable {
        /// What the launcher is known by to its workers.
        var instance: String
        var listener: Descriptor
        var isDismissed: Bool
        var worker: Worker?
        var held: [Request]

        struct Worker: Equatable {
            var socket: Descriptor
            /// The version that both have agreed upon; nil before that.
            var version: UInt32?
        }

        /// One that waits until the other program is there.
        struct Request: Equatable {
            var bytes: [UInt8]
            var descriptors: [Descriptor]
        }
    }
}
