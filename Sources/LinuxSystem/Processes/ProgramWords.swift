import Glibc

/// The words of a program as execve(2) takes them, made before the child that executes it.
///
/// A child of `ChildProcess.spawn` may not pass a captured `var` by reference: Swift notes such an access in the memory
/// that both share, on the stack that only the child had, and the parent's next one follows that note.
public final class ProgramWords {
    public let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    public init(_ words: [String]) {
        count = words.count
        pointers = .allocate(capacity: count + 1)
        for (index, word) in words.enumerated() { (pointers + index).initialize(to: strdup(word)) }
        (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
