import CFuzzer
import Glibc

// Fuzz list|planted                      the names of the targets, one a line
// Fuzz sources TARGET                    the files whose coverage belongs to it
// Fuzz run TARGET CORPUS [OPTION…]       libFuzzer's loop; new inputs go to the directory CORPUS
//
// A target that does not hold is a trap: libFuzzer writes the input to a file and ends with another code than 0.

let words = Array(CommandLine.arguments.dropFirst())

func target(named name: String) -> FuzzTarget {
    if let target = (FuzzTarget.all + FuzzTarget.planted).first(where: { $0.name == name }) { return target }
    say("no target \(name)")
    exit(2)
}

switch (words.first, words.count) {
case ("list", 1): FuzzTarget.all.forEach { print($0.name) }
case ("planted", 1): FuzzTarget.planted.forEach { print($0.name) }
case ("sources", 2): target(named: words[1]).sources.forEach { print($0) }
case ("run", 3...): FuzzRun.start(target(named: words[1]), corpus: words[2], options: Array(words[3...]))
default:
    say("use: Fuzz list | planted | sources TARGET | run TARGET CORPUS [OPTION…]")
    exit(2)
}
