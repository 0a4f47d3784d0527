import Glibc

/// Nobody reads stdout any more (EPIPE).
struct ClosedOutput: Error {}

/// What a verb prints for its user, written at once and whole.
enum StandardOutput {
    /// Writes a line of text.
    static func line(_ text: String) throws {
        try Descriptor.write((text + "\n").utf8, to: STDOUT_FILENO)
    }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Remarks about what happens, apart from what was asked for.
enum StandardError {
    /// Writes a line. Where stderr is closed there is nobody to tell.
    static func line(_ text: String) { raw(text + "\n") }

    /// Writes text as it is.
    static func raw(_ text: String) { try? Descriptor.write(text.utf8, to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
