/// Signals by name and number, as Linux numbers them on x86-64 and arm64 (signal(7)).
public enum SignalName {
    /// In the order of their numbers, from 1.
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// The numbers that exist, real-time signals included.
    public static let numbers = 1...64

    /// The number of `SIGTERM`, `TERM`, `term` or `15`.
    public static func parse(_ text: String) throws(ValueProblem) -> Int {
        if let number = Int(text), numbers.contains(number), text.utf8.first?.isASCIIDigit == true { return number }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        // The capital of a dotless i is a plain I, but İNT and ınt are no names of signals.
        if text.utf8.allSatisfy({ $0 < 0x80 }), let index = names.firstIndex(of: name) { return index + 1 }
        let near = nearestWord(to: name, in: names).map { "did you mean SIG\($0)?" }
        throw ValueProblem(
            text, isNot: "a signal", hint: near ?? "write a name such as SIGTERM or INT, or a number from 1 to 64")
    }

    /// `SIGTERM` for 15; `signal 40` where there is no name.
    public static func name(of number: Int) -> String {
        (1...names.count).contains(number) ? "SIG\(names[number - 1])" : "signal \(number)"
    }
}
