import ArgumentParser

/// Short options of a command with their values joined to them, as in `-eK=V` and `-w/dir`. The parser's own joined
/// values are letters and digits only, so they are taken apart before it sees them.
enum JoinedValues {
    /// - Parameter arguments: the command line without the program's name.
    static func split(_ arguments: [String]) -> [String] {
        let verbs: [any ParsableCommand.Type] = [Run.self, Submit.self, Exec.self]
        guard let verb = verbs.first(where: { $0._commandName == arguments.first }),
            arguments.prefix(while: { $0 != "--" }).contains(where: mayBeJoined)
        else { return arguments }
        return split(arguments, OptionNames(of: verb))
    }

    /// Up to where the command begins: what follows is not ours.
    private static func split(_ arguments: [String], _ names: OptionNames) -> [String] {
        var result = Array(arguments.prefix(1))
        var rest = arguments.dropFirst()
        while let word = rest.first, word.hasPrefix("-"), word != "-", word != "--" {
            rest.removeFirst()
            let option = String(word.prefix(2))
            if mayBeJoined(word), names.valued.contains(option) {
                result += [option, String(word.dropFirst(2))]
                continue
            }
            result.append(word)
            if names.valued.contains(word), let value = rest.popFirst() { result.append(value) }
        }
        return result + rest
    }

    /// `-e=V` is the parser's.
    private static func mayBeJoined(_ word: String) -> Bool {
        word.count > 2 && word.hasPrefix("-") && !word.hasPrefix("--") && word.dropFirst(2).first != "="
    }
}
