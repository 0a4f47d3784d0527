import ArgumentParser

/// `sandpool completions`: what a shell needs to complete command lines.
struct Completions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a completion script for a shell.",
        discussion: "Example: sandpool completions bash > /etc/bash_completion.d/sandpool")

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ValidationError("there are completions for bash, zsh and fish")
        }
        try StandardOutput.line(RootCommand.completionScript(for: shell))
    }
}
