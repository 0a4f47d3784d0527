/// A decimal number without sign or exponent, held exactly: no binary fraction stands between what a person
/// wrote and the bytes or milliseconds that are meant.
struct DecimalNumber {
    var whole: Int64
    /// What stands behind the point, in millionths.
    var millionths: Int64

    /// Takes a number from the start of `text`; `nil`, with `text` unchanged, when there is none, when it is
    /// too large, or when it has more than six digits behind the point.
    static func take(from text: inout Substring) -> DecimalNumber? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let whole = Int64(digits) else { return nil }
        var rest = text.dropFirst(digits.count)
        guard rest.first == "." else {
            text = rest
            return DecimalNumber(whole: whole, millionths: 0)
        }
        let fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard (1...6).contains(fraction.count), var millionths = Int64(fraction) else { return nil }
        for _ in fraction.count..<6 { millionths *= 10 }
        rest = rest.dropFirst(1 + fraction.count)
        text = rest
        return DecimalNumber(whole: whole, millionths: millionths)
    }

    /// The number times `unit`, which is at most 2⁴²; `nil` when that is more than 64 bits hold.
    ///
    /// - Returns: the product cut to a whole number, and whether nothing was cut off.
    func times(_ unit: Int64) -> (value: Int64, isExact: Bool)? {
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        let part = millionths * unit
        let (sum, carry) = product.addingReportingOverflow(part / 1_000_000)
        guard !overflow, !carry else { return nil }
        return (sum, part % 1_000_000 == 0)
    }
}
