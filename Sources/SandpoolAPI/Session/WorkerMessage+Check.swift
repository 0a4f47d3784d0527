import SandpoolModel

extension WorkerMessage: SessionMessage {
    public func check() throws(APIError) {
        switch self {
        case .hello(let hello): try hello.check()
        case .progress(let steps):
            try APIError.require(atMost: SessionLimits.attempts, steps, in: "progress")
            for step in steps { try step.check() }
        case .results(let results):
            try APIError.require(atMost: SessionLimits.attempts, results, in: "results")
            for result in results { try result.check() }
        case .returned(let leases):
            try APIError.require(atMost: SessionLimits.attempts, leases, in: "returned")
            for lease in leases { try lease.check(in: "returned") }
        case .heartbeat(let sentMs):
            try APIError.require(sentMs >= 0, "heartbeat.sentMs", "\(sentMs) is before the boot")
        case .inputConsumed(let lease, let offset):
            try lease.check(in: "inputConsumed")
            try APIError.require(offset: offset, in: "inputConsumed.offset")
        case .execStarted: break
        case .execInputConsumed(_, let offset):
            try APIError.require(offset: offset, in: "execInputConsumed.offset")
        case .execEnded(let result): try result.check()
        }
    }
}

extension WorkerHello {
    func check() throws(APIError) {
        try APIError.require(!name.isEmpty, "hello.name", "it is empty")
        try APIError.require(name, atMost: SessionLimits.nameBytes, in: "hello.name")
        try APIError.require(TerminalText.harmless(name) == name, "hello.name", "it holds control characters")
        try APIError.require(!bootID.isEmpty, "hello.bootID", "it is empty")
        try APIError.require(bootID, atMost: SessionLimits.idBytes, in: "hello.bootID")
        if let process { try APIError.require(process, atMost: SessionLimits.idBytes, in: "hello.process") }
        try APIError.require(softwareVersion, atMost: SessionLimits.idBytes, in: "hello.softwareVersion")
        for (field, amount) in [
            ("cpuMillis", capacity.cpuMillis), ("memoryBytes", capacity.memoryBytes), ("diskBytes", capacity.diskBytes),
        ] {
            let range = 0...SessionLimits.capacity
            try APIError.require(range.contains(amount), "hello.capacity.\(field)", "\(amount) is not in \(range)")
        }
        try APIError.require(sentMs ?? 0 >= 0, "hello.sentMs", "\(sentMs ?? 0) is before the boot")
        try APIError.require(atMost: SessionLimits.labels, labels, in: "hello.labels")
        for (key, value) in labels {
            do throws(ValueProblem) { _ = try Label(key: key, value: value) } catch {
                throw APIError(status: 400, code: "invalid_message", message: "hello.labels: \(error)")
            }
        }
        try APIError.require(atMost: SessionLimits.images, images, in: "hello.images")
        for image in images { try APIError.require(image, atMost: SessionLimits.wordBytes, in: "hello.images") }
        try APIError.require(atMost: SessionLimits.attempts, returned ?? [], in: "hello.returned")
        for lease in returned ?? [] { try lease.check(in: "hello.returned") }
        try APIError.require(atMost: SessionLimits.attempts, held, in: "hello.held")
        for attempt in held { try attempt.check(in: "hello.held") }
        try APIError.require(
            Set(held.map(\.lease.attempt)).count == held.count, "hello.held", "an attempt stands in it twice")
        try verification?.check()
    }
}

extension VerificationSummary {
    func check() throws(APIError) {
        try APIError.require(kernel, atMost: SessionLimits.wordBytes, in: "hello.verification.kernel")
        try APIError.require(failure, atMost: SessionLimits.messageBytes, in: "hello.verification.failure")
        try APIError.require(atMost: SessionLimits.probes, through, in: "hello.verification.through")
        for probe in through {
            try APIError.require(probe, atMost: SessionLimits.idBytes, in: "hello.verification.through")
        }
        try APIError.require(min(held, notRun) >= 0, "hello.verification", "there cannot be less than no probe")
    }
}

extension AttemptProgress {
    func check() throws(APIError) {
        try lease.check(in: "progress")
        try APIError.require(
            [.preparing, .building, .running].contains(state), "progress.state", "\(state.rawValue) is no progress")
    }
}

extension Outcome {
    func check(in field: String) throws(APIError) {
        try APIError.require((0...255).contains(exitCode ?? 0), "\(field).exitCode", "\(exitCode ?? 0) is no exit code")
        try APIError.require(
            SessionLimits.signals.contains(signal ?? 1), "\(field).signal", "\(signal ?? 0) is no signal")
        try APIError.require(exitCode == nil || signal == nil, field, "an exit code and a signal")
        try APIError.require(cause != .exited || exitCode != nil, field, "exited without an exit code")
        try APIError.require(message, atMost: SessionLimits.messageBytes, in: "\(field).message")
    }
}

extension AttemptResult {
    func check() throws(APIError) {
        try lease.check(in: "results")
        try outcome.check(in: "results")
        try evidence.check()
        for (field, tail) in [("stdoutTail", stdoutTail), ("stderrTail", stderrTail)] {
            guard let tail else { continue }
            try APIError.require(offset: tail.offset, in: "results.\(field).offset")
            try APIError.require(tail.base64, atMost: OutputTail.longestBase64, in: "results.\(field)")
        }
        if let downloads {
            try APIError.require(BlobDigest.isWellFormed(downloads), "results.downloads", "it is no digest")
        }
    }
}

extension Evidence {
    func check() throws(APIError) {
        for word in [reapedBy, writableLayer, timer, hostFingerprint] {
            try APIError.require(word, atMost: SessionLimits.wordBytes, in: "results.evidence")
        }
        try APIError.require(atMost: SessionLimits.stages, stagesMs, in: "results.evidence.stagesMs")
        for stage in stagesMs.keys {
            try APIError.require(stage, atMost: SessionLimits.idBytes, in: "results.evidence.stagesMs")
        }
        for digest in [stdoutDigest, stderrDigest].compactMap(\.self) {
            try APIError.require(BlobDigest.isWellFormed(digest), "results.evidence", "a stream's digest is none")
        }
        let (mounts, places) = (changedMounts ?? [], 0..<SpecBounds.mounts)
        try APIError.require(atMost: places.count, mounts, in: "results.evidence.changedMounts")
        try APIError.require(
            mounts.allSatisfy(places.contains), "results.evidence.changedMounts", "no mount has such a place")
        let leftOut = leftOutLimits ?? []
        try APIError.require(atMost: Evidence.namesOfLimits.count, leftOut, in: "results.evidence.leftOutLimits")
        try APIError.require(
            leftOut.allSatisfy(Evidence.namesOfLimits.contains), "results.evidence.leftOutLimits", "no such limit")
        let amounts = [
            wallMs, cpuMs, peakMemoryBytes, oomKills, stdoutBytes, stderrBytes, diskBytes, inodes, stalledMs,
            networkInterruptions, lostStdoutBytes, lostStderrBytes,
        ]
        let least = (amounts.compactMap(\.self) + stagesMs.values).min() ?? 0
        try APIError.require(least >= 0, "results.evidence", "\(least) is less than nothing")
    }
}
