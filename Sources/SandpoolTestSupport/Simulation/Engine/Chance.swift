import SandpoolModel

/// Everything that a simulated world leaves to chance, out of one seed.
struct Chance {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// A number of the range, each as likely as the others (Lemire's multiplication; its bias is below 2⁻³⁰ here).
    mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int64(generator.next().multipliedFullWidth(by: width).high)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int(number(Int64(range.lowerBound)...Int64(range.upperBound)))
    }

    /// True once in so many times.
    mutating func one(in times: Int) -> Bool { times > 0 && number(1...times) == 1 }

    mutating func element<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

    /// A span whose logarithm is evenly spread: short ones are as likely as long ones.
    ///
    /// - Parameter range: microseconds, from 1 on.
    mutating func span(_ range: ClosedRange<Int64>) -> Int64 {
        let low = 63 - range.lowerBound.leadingZeroBitCount
        let high = 63 - range.upperBound.leadingZeroBitCount
        let bits = Int64(number(low...high))
        return min(max(number((1 << bits)...(2 << bits)), range.lowerBound), range.upperBound)
    }

    /// An id made at a moment.
    mutating func id<Kind>(at moment: Timestamp) -> Identifier<Kind> {
        Identifier(milliseconds: UInt64(clamping: moment.milliseconds), using: &generator)
    }
}
