import CLinux

/// What a filter does with each system call, by number.
///
/// Becomes a binary search: the kernel runs a filter once for every number when it is installed, to find out which
/// calls it always allows (`seccomp_cache_prepare`), and it is installed for every sandbox. One test after the
/// other took 0.1 ms of a start.
struct CallTable {
    private var programs: [UInt32: FilterAssembler] = [:]
    private let otherwise: FilterAssembler

    init(otherwise: FilterAssembler.Action) {
        self.otherwise = FilterAssembler(otherwise)
    }

    mutating func set(_ numbers: [Int32], to action: FilterAssembler.Action) {
        for number in numbers { programs[UInt32(number)] = FilterAssembler(action) }
    }

    /// - Parameter body: must end in `finish`.
    mutating func set(_ number: Int32, _ body: (inout FilterAssembler) -> Void) {
        var program = FilterAssembler()
        body(&program)
        programs[UInt32(number)] = program
    }

    private struct Range {
        /// The last number of it is before the start of the next one.
        var start: UInt32
        var program: FilterAssembler
    }

    /// The search, for a loaded number below `limit`. Numbers from `limit` on end as `beyond` says.
    func assembled(limit: UInt32, beyond: FilterAssembler.Action) -> FilterAssembler {
        var ranges = [Range(start: 0, program: otherwise)]
        func begin(_ start: UInt32, _ program: FilterAssembler) {
            if ranges[ranges.count - 1].start == start { ranges.removeLast() }
            if ranges.last?.program != program { ranges.append(Range(start: start, program: program)) }
        }
        for (number, program) in programs.sorted(by: { $0.key < $1.key }) {
            begin(number, program)
            begin(number + 1, otherwise)
        }
        begin(limit, FilterAssembler(beyond))
        return Self.search(ranges[...])
    }

    private static func search(_ ranges: ArraySlice<Range>) -> FilterAssembler {
        let middle = ranges.startIndex + ranges.count / 2
        guard middle > ranges.startIndex else { return ranges[middle].program }
        return .branch(
            atLeast: ranges[middle].start, search(ranges[middle...]), otherwise: search(ranges[..<middle]))
    }
}
