import LinuxSystem

extension NetworkError {
    /// One line about a failed system call on the way to `goal`.
    init(describing error: any Error, while goal: String) {
        switch error {
        case let error as NetworkError: self = error
        case let error as SystemError: self.init("cannot \(goal): \(error)", code: error.code)
        default: self.init("cannot \(goal): \(error)")
        }
    }
}
