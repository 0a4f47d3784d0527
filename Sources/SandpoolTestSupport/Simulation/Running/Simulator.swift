/// Lives through many worlds, on as many threads as there are processors.
///
/// The process has to run with SWIFT_DETERMINISTIC_HASHING, or a seed gives another world each time: hashed collections
/// are seeded by their place in memory otherwise.
package struct Simulator: Sendable {
    package var seeds: Range<UInt64>
    package var variant: Variant?
    package var threads: Int
    /// Whether it ends with the first world that is wrong.
    package var stopsEarly: Bool

    package init(seeds: Range<UInt64>, variant: Variant? = nil, threads: Int, stopsEarly: Bool) {
        self.seeds = seeds
        self.variant = variant
        self.threads = max(1, threads)
        self.stopsEarly = stopsEarly
    }

    package struct Summary: Sendable {
        package var worlds = 0
        package var events = 0
        package var leastEvents = Int.max
        var coverage = Coverage()
        /// What was wrong, by seed.
        package var violations: [(seed: UInt64, what: String)] = []

        mutating func add(_ outcome: Simulation.Report) {
            worlds += 1
            events += outcome.events
            leastEvents = min(leastEvents, outcome.events)
            coverage.add(outcome.coverage)
            if let what = outcome.violation { violations.append((outcome.seed, what)) }
        }

        /// What no world went through.
        package var missing: [String] { Reached.allCases.filter { coverage[$0] == 0 }.map { "\($0)" } }

        /// How often each was reached, one a line.
        package var table: String {
            Reached.allCases.map { "\($0)".padded(to: 26) + "\(coverage[$0])" }.joined(separator: "\n")
        }
    }

    /// Seeds a thread takes at a time.
    private static let portion: UInt64 = 100

    package func run() async -> Summary {
        var summary = Summary()
        var next = seeds.lowerBound
        await withTaskGroup(of: [Simulation.Report].self) { group in
            func add() -> Bool {
                guard next < seeds.upperBound, !(stopsEarly && !summary.violations.isEmpty) else { return false }
                let part = next..<min(next + Self.portion, seeds.upperBound)
                next = part.upperBound
                group.addTask { [variant] in part.map { Simulation(seed: $0, variant: variant).run() } }
                return true
            }
            for _ in 0..<threads { _ = add() }
            while let outcomes = await group.next() {
                for outcome in outcomes { summary.add(outcome) }
                _ = add()
            }
        }
        summary.violations.sort { $0.seed < $1.seed }
        return summary
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
