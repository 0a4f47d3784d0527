import Glibc
import SandpoolTestSupport

/// What the command line asks for.
struct Options {
    private var count: UInt64 = 100_000
    private var from: UInt64 = 0
    private var seed: UInt64?
    private var variant: Variant?
    private var triesVariants = false
    private var isTraced = false

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            switch argument {
            case "--seeds": count = Self.number(rest.popFirst(), of: argument)
            case "--from": from = Self.number(rest.popFirst(), of: argument)
            case "--seed": seed = Self.number(rest.popFirst(), of: argument)
            case "--variant":
                let name = rest.popFirst() ?? ""
                guard let found = Variant(rawValue: name) else { Self.refuse("no variant '\(name)'") }
                variant = found
            case "--variants": triesVariants = true
            case "--trace": isTraced = true
            default: Self.refuse("unknown option '\(argument)'")
            }
        }
    }

    private static func number(_ text: String?, of option: String) -> UInt64 {
        guard let text, let number = UInt64(text) else { refuse("\(option) takes a number") }
        return number
    }

    private static func refuse(_ why: String) -> Never {
        let line = "Simulate: \(why); see the beginning of Tests/Simulate/main.swift\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
        exit(125)
    }

    /// Whether nothing was wrong.
    func run() async -> Bool {
        if let seed { return replay(seed) }
        if triesVariants { return await tryVariants() }
        return await simulate()
    }

    private func replay(_ seed: UInt64) -> Bool {
        let outcome = Simulation(seed: seed, variant: variant, isTraced: isTraced).run()
        for line in outcome.trace { print(line) }
        print("seed \(seed): \(outcome.violation ?? "nothing wrong") after \(outcome.events) events")
        return outcome.violation == nil
    }

    private func simulator(stopsEarly: Bool, _ variant: Variant?) -> Simulator {
        Simulator(
            seeds: from..<from + count, variant: variant, threads: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            stopsEarly: stopsEarly)
    }

    private func simulate() async -> Bool {
        let clock = ContinuousClock()
        let begin = clock.now
        let summary = await simulator(stopsEarly: false, variant).run()
        let seconds = max(1, (clock.now - begin).components.seconds)
        print(summary.table)
        print(
            "\(summary.worlds) worlds of \(summary.leastEvents) and more events, \(summary.events) in all, in "
                + "\(seconds) s: \(Int64(summary.worlds) / seconds) worlds a second")
        for (seed, what) in summary.violations.prefix(20) { print("WRONG: seed \(seed): \(what)") }
        if !summary.violations.isEmpty {
            print("\(summary.violations.count) worlds went wrong; to see one: Simulate --seed SEED --trace")
        }
        if !summary.missing.isEmpty { print("never reached: \(summary.missing.joined(separator: ", "))") }
        return summary.violations.isEmpty && summary.missing.isEmpty
    }

    private func tryVariants() async -> Bool {
        var isAllFound = true
        for variant in Variant.allCases {
            fflush(nil)
            let summary = await simulator(stopsEarly: true, variant).run()
            if let first = summary.violations.first {
                print("\(variant) is found by seed \(first.seed): \(first.what)")
            } else {
                print("WRONG: \(variant) is found by none of \(summary.worlds) worlds")
                isAllFound = false
            }
        }
        return isAllFound
    }
}
