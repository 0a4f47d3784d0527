import Glibc

/// `sandpool-probe`: attacks whatever it runs in, and prints one JSON object a line for each attack.
public enum ProbeProgram {
    private static let usage = """
        usage: sandpool-probe [--only NAME]… [--network open|blocked] [--host-socket NAME]
               [--endpoint A.B.C.D:PORT]… [--setuid-program PATH] [--first-pid PID]
               [--pids N] [--memory BYTES] [--disk BYTES] [--files N]
        """

    /// Returns the exit code: 0 when everything held, 1 when a probe got through, 2 for a wrong use.
    public static func run(_ arguments: [String]) -> Int32 {
        // A reader that is gone, and attacks that hang up on each other, show as errors.
        signal(SIGPIPE, SIG_IGN)
        var surroundings = Surroundings()
        var names: [String] = []
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return complain() }
            if option == "--only" {
                names.append(value)
            } else if !surroundings.take(option, value) {
                return complain()
            }
        }
        var probes = Battery.quick
        if !names.isEmpty {
            probes = names.compactMap(Battery.probe(named:))
            guard probes.count == names.count else { return complain() }
        }
        var hasHeld = true
        for probe in probes {
            let outcome = ProbeRun.outcome(of: probe, surroundings)
            if case .through = outcome { hasHeld = false }
            say(FindingLine.text(probe, outcome), on: STDOUT_FILENO)
        }
        return hasHeld ? 0 : 1
    }

    private static func complain() -> Int32 {
        say(usage, on: STDERR_FILENO)
        return 2
    }

    private static func say(_ line: String, on descriptor: Int32) {
        let bytes = Array((line + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
