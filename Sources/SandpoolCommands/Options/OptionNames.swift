import ArgumentParser

/// The options of a verb as its help lists them, which is the one place where the parser tells them all.
struct OptionNames {
    /// With their dashes.
    private(set) var all: Set<String> = []
    /// Those that take a value.
    private(set) var valued: Set<String> = []

    init(of command: any ParsableCommand.Type) {
        for line in command.helpMessage(columns: 200).split(separator: "\n") {
            // `  -e, --env <k=v>    What it is`
            let words = line.split(separator: " ").prefix { $0.hasPrefix("-") || $0.hasPrefix("<") }
            let names = words.filter { $0.hasPrefix("-") }.map { String($0.filter { $0 != "," }) }
            all.formUnion(names)
            if words.contains(where: { $0.hasPrefix("<") }) { valued.formUnion(names) }
        }
    }
}
