/// The word of `candidates` that a mistyped `word` most likely stands for; `nil` when none is near.
///
/// Near is an edit distance of at most a third of the word's length, or one word being the other's beginning
/// (`timeout` for `timeoutSeconds`).
public func nearestWord(to word: String, in candidates: some Sequence<String>) -> String? {
    let typed = Array(word.lowercased().utf8)
    // A word that long is no slip of the finger, and the distance takes quadratic time.
    guard (1...64).contains(typed.count) else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in candidates {
        let letters = Array(candidate.lowercased().utf8)
        var distance = editDistance(typed, letters)
        if typed.count >= 3, letters.starts(with: typed) || typed.starts(with: letters) {
            distance = min(distance, 1)
        }
        guard distance <= max(1, typed.count / 3) else { continue }
        if let found = best, (found.distance, found.word) <= (distance, candidate) { continue }
        best = (candidate, distance)
    }
    return best?.word
}

/// The fewest insertions, deletions, substitutions and swaps of neighbours that make one array the other
/// (optimal string alignment).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (line, letter) in left.enumerated() {
        var row = [line + 1]
        for (column, other) in right.enumerated() {
            var best = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, row[column] + 1)
            if line > 0, column > 0, letter == right[column - 1], other == left[line - 1] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            row.append(best)
        }
        (beforeLast, last) = (last, row)
    }
    return last[right.count]
}
