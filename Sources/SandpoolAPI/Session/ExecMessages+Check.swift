import SandpoolModel

extension ExecControl: SessionMessage {
    public func check() throws(APIError) {
        guard case .signal(let signal) = self else { return }
        try APIError.require(SessionLimits.signals.contains(signal), "signal", "\(signal) is no signal")
    }
}

extension ExecResult {
    func check() throws(APIError) {
        try outcome.check(in: "execEnded")
        try APIError.require(offset: stdoutBytes, in: "execEnded.stdoutBytes")
        try APIError.require(offset: stderrBytes, in: "execEnded.stderrBytes")
    }
}
