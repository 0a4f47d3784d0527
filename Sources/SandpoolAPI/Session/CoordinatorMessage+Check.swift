import SandpoolModel

extension CoordinatorMessage: SessionMessage {
    public func check() throws(APIError) {
        switch self {
        case .welcome(let welcome): try welcome.check()
        case .assign(let assignments):
            try APIError.require(atMost: SessionLimits.attempts, assignments, in: "assign")
            for assignment in assignments { try assignment.lease.check(in: "assign") }
        case .cancel(let lease): try lease.check(in: "cancel")
        case .signal(let lease, let signal):
            try lease.check(in: "signal")
            try APIError.require(SessionLimits.signals.contains(signal), "signal", "\(signal) is no signal")
        case .kill(let lease): try lease.check(in: "kill")
        case .recorded(let results):
            try APIError.require(atMost: SessionLimits.attempts, results, in: "recorded")
            for result in results { try result.lease.check(in: "recorded") }
        case .outputDurable(let lease, let stdout, let stderr):
            try lease.check(in: "outputDurable")
            try APIError.require(offset: stdout, in: "outputDurable.stdout")
            try APIError.require(offset: stderr, in: "outputDurable.stderr")
        case .heartbeat(let sentMs):
            try APIError.require(sentMs >= 0, "heartbeat.sentMs", "\(sentMs) is before the boot")
        case .drain, .execCancel, .execLeave: break
        case .exec(let assignment): try assignment.lease.check(in: "exec")
        case .execSignal(_, let signal):
            try APIError.require(SessionLimits.signals.contains(signal), "execSignal", "\(signal) is no signal")
        case .execOutputTaken(_, let stdout, let stderr):
            try APIError.require(offset: stdout, in: "execOutputTaken.stdout")
            try APIError.require(offset: stderr, in: "execOutputTaken.stderr")
        case .failed(let error):
            for text in [error.code, error.message, error.hint] {
                try APIError.require(text, atMost: SessionLimits.messageBytes, in: "failed")
            }
        }
    }
}

extension WorkerWelcome {
    func check() throws(APIError) {
        let times = [
            ("leaseSeconds", leaseSeconds), ("heartbeatSeconds", heartbeatSeconds),
            ("replaceSeconds", replaceSeconds ?? leaseSeconds),
        ]
        for (field, seconds) in times {
            try APIError.require(seconds > 0, "welcome.\(field)", "\(seconds) is no time")
        }
        try APIError.require(atMost: SessionLimits.attempts, keep, in: "welcome.keep")
        for attempt in keep { try attempt.check(in: "welcome.keep") }
        try APIError.require(atMost: SessionLimits.attempts, kill, in: "welcome.kill")
        for lease in kill { try lease.check(in: "welcome.kill") }
    }
}
