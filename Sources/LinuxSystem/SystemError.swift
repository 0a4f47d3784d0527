import Glibc

/// A system call that failed: what was tried, on what, and the kernel's error.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call and its object, such as `openat etc/passwd`.
    public let operation: String
    /// The `errno` value.
    public let code: Int32

    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}

/// Makes a system call again as long as a signal interrupts it, and turns -1 into a `SystemError`.
@discardableResult
@inline(__always)
public func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ operation: @autoclosure () -> String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError(operation(), code: code) }
    }
}
