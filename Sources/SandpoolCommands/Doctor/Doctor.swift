import ArgumentParser

/// `sandpool doctor`: what this host lacks, and the fix for each.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check this host, and say how to get what is missing.",
        discussion: """
            Ends with 0 where local mode can run; what is missing in small letters is needed only by some jobs.

            Example: sudo sandpool doctor
            """)

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func run() throws {
        let checks = KernelChecks.all + HostChecks.all
        for check in checks { try StandardOutput.line(json ? try JSONText.line(check) : check.text) }
        guard checks.allSatisfy({ $0.isPresent || !$0.isRequired }) else { throw ExitStatus(code: 1) }
    }
}
