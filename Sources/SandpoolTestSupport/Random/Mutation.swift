/// Changes bytes the way a broken or hostile sender would: flips, cuts, repeats, insertions.
///
/// - Parameter words: pieces that are laid in now and then.
public func mutate(
    _ bytes: [UInt8], using generator: inout some RandomNumberGenerator, words: [String] = []
) -> [UInt8] {
    var result = bytes
    for _ in 0...Int.random(in: 0..<4, using: &generator) {
        let place = Int.random(in: 0...result.count, using: &generator)
        switch Int.random(in: 0..<(words.isEmpty ? 6 : 7), using: &generator) {
        case 0 where place < result.count: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1 where place < result.count: result[place] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
        case 2: result.removeSubrange(place...)
        case 3: result.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
        case 4:
            let end = min(result.count, place + Int.random(in: 0..<16, using: &generator))
            result.insert(contentsOf: result[place..<end], at: place)
        case 6: result.insert(contentsOf: (words.randomElement(using: &generator) ?? "").utf8, at: place)
        default:
            let end = min(result.count, place + Int.random(in: 0..<8, using: &generator))
            result.removeSubrange(place..<end)
        }
    }
    return result
}
