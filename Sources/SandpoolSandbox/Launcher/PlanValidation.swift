/// What the launcher demands of a plan, whoever wrote it.
enum PlanValidation {
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    private static func require(_ condition: Bool, _ message: String) throws(StageError) {
        if !condition { throw StageError("plan", message, kind: .spec) }
    }

    /// Of what the launcher does not read itself: asked in the sandbox, before the command is executed.
    static func checkCommand(_ arguments: [String], environment: [String]) throws(StageError) {
        try require(!arguments.isEmpty, "the command is empty")
        let texts = arguments + environment
        try require(texts.allSatisfy { !$0.utf8.contains(0) }, "an argument or variable holds a NUL byte")
        try require(environment.allSatisfy { $0.utf8.contains(UInt8(ascii: "=")) }, "a variable has no =")
    }

    static func check(_ plan: ExecPlan) throws(StageError) {
        try require(isName(plan.id), "the id is not 1 to 64 characters of a-z, 0-9 and -")
        let texts = [plan.workingDirectory, plan.user]
        try require(texts.allSatisfy { !$0.utf8.contains(0) }, "the directory or user holds a NUL byte")
        try require(plan.workingDirectory.utf8.first == slash, "the working directory is not an absolute path")
        try require(plan.outputBytes <= outputLimit, "more than 1 PiB of output")
        try require(backlogs.contains(plan.backlogBytes), "a backlog of less than 4 KiB or more than 1 GiB")
    }

    static func check(_ plan: SandboxPlan) throws(StageError) {
        try require(isName(plan.id), "the id is not 1 to 64 characters of a-z, 0-9 and -")
        let texts = [plan.workingDirectory, plan.user, plan.hostname]
        try require(texts.allSatisfy { !$0.utf8.contains(0) }, "the directory, user or hostname holds a NUL byte")
        try require(plan.workingDirectory.utf8.first == slash, "the working directory is not an absolute path")
        try require((1...64).contains(plan.hostname.utf8.count), "the hostname is not 1 to 64 bytes")
        try require(!plan.hostname.utf8.contains { $0 <= 0x20 }, "the hostname holds a space")
        try require(plan.mounts.count <= 64 && plan.downloads.count <= 64, "more than 64 mounts or downloads")
        for mount in plan.mounts {
            try require(isName(mount.layer), "a mount's layer is not an id")
            try require(isPlainPath(mount.path), "mount path \(mount.path) is not absolute and plain")
        }
        for path in plan.downloads {
            try require(isPlainPath(path), "download path \(path) is not absolute and plain")
        }
        if case .layers(let layers) = plan.root {
            try require((1...128).contains(layers.count), "the root has none or more than 128 layers")
            try require(layers.allSatisfy(isName), "a layer is not an id")
        }
        let limits = plan.limits
        try require(limits.memoryBytes >= 1 << 20, "less than 1 MiB of memory")
        try require(limits.cpuMillis >= 10, "less than a hundredth of a processor")
        try require(limits.pids >= 2, "less than 2 processes: pid 1 is one")
        try require(limits.diskBytes >= 64 << 10, "less than 64 KiB of disk")
        try require(limits.diskBytes <= 1 << 50, "more than 1 PiB of disk")
        try require(limits.outputBytes <= outputLimit, "more than 1 PiB of output")
    }

    private static let outputLimit: UInt64 = 1 << 50
    private static let backlogs: ClosedRange<UInt64> = 4_096...1 << 30

    private static let slash = UInt8(ascii: "/")
    /// As `SandboxPath.longest`, which this module does not know.
    static let pathLimit = 4_000

    /// Absolute, below the root, without `.` and `..`, and nothing that a mount option could not carry. Looked at as
    /// bytes, as the kernel does: a combining mark makes another character of the slash before it.
    static func isPlainPath(_ path: String) -> Bool {
        guard path.utf8.first == slash, path.utf8.count <= pathLimit, !path.utf8.contains(0) else { return false }
        let components = path.utf8.split(separator: slash)
        return !components.isEmpty && !components.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
    }
}
