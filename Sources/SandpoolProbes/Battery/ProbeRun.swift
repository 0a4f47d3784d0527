import Glibc

/// Runs one probe in a child of its own: an attack that ends its process, hangs or changes it spoils no other.
public enum ProbeRun {
    /// No attack takes nearly as long. One that exhausts something does much, over which a busy host takes its time.
    private static func limitMs(of probe: Probe) -> Int32 { probe.isQuick ? 10_000 : 50_000 }
    /// A pipe takes so much without a reader.
    private static let detailLimit = 1_000

    public static func outcome(of probe: Probe, _ surroundings: Surroundings) -> Outcome {
        switch (probe.network, surroundings.isNetworkOpen) {
        case (.blocked, true): return .notRun("the network is open")
        case (.open, false): return .notRun("the network is blocked")
        default: break
        }
        guard let pipe = PipeEnds() else { return .notRun("pipe: \(Answer.text(errno))") }
        let child = Child.fork {
            close(pipe.reading)
            let outcome = probe.attempt(surroundings)
            let bytes = Array((outcome.word + "\n" + outcome.detail).utf8.prefix(detailLimit))
            _ = write(pipe.writing, bytes, bytes.count)
            _exit(0)
        }
        close(pipe.writing)
        defer { close(pipe.reading) }
        guard let child else { return .notRun("fork: \(Answer.text(errno))") }
        return collect(child, from: pipe.reading, limitMs(of: probe))
    }

    private static func collect(_ child: Child, from pipe: Int32, _ limitMs: Int32) -> Outcome {
        var bytes: [UInt8] = []
        var isLate = false
        while true {
            var state = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            guard poll(&state, 1, limitMs) == 1 else {
                isLate = true
                break
            }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(pipe, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        if isLate { kill(child.pid, SIGKILL) }
        let status = child.wait()
        if let outcome = parse(bytes) { return outcome }
        if isLate { return .notRun("nothing after \(limitMs / 1_000) s") }
        let signal = status & 0x7f
        // SIGSYS: the filter ended it. SIGKILL: the kernel did, for what it did or took.
        if signal == SIGSYS || signal == SIGKILL { return .held("killed by signal \(signal)") }
        return .notRun("it ended by itself with status \(status)")
    }

    private static func parse(_ bytes: [UInt8]) -> Outcome? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let detail = String(decoding: bytes[(end + 1)...], as: UTF8.self)
        switch String(decoding: bytes[..<end], as: UTF8.self) {
        case "held": return .held(detail)
        case "through": return .through(detail)
        case "not_run": return .notRun(detail)
        default: return nil
        }
    }
}
