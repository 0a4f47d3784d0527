extension JobSpec {
    /// Checks every value against the bounds of all specs and against a pool's limits.
    ///
    /// Call it on a spec whose defaults are filled in: what is absent is not checked.
    ///
    /// - Throws: the first problem found.
    public func validate(limits: PoolLimits) throws(SpecProblem) {
        try checkCommand()
        try checkEnvironment()
        try checkNames()
        try checkLabels(tags, at: "tags", atMost: SpecBounds.tags)
        try checkLabels(require, at: "require", atMost: SpecBounds.requirements)
        try checkImage(limits: limits)
        try checkNetwork(limits: limits)
        try checkMounts()
        try checkDownloads()
        try checkResources(limits: limits)
        try checkTimes(limits: limits)
        try checkRepetition()
    }

    private func checkCommand() throws(SpecProblem) {
        guard let program = command.first else {
            throw SpecProblem(at: "command", "is empty", hint: "name the program to run")
        }
        guard !program.isEmpty else {
            throw SpecProblem(at: "command[0]", "the program's name is empty", hint: "name the program to run")
        }
        try checkCount(command.count, at: "command", atMost: SpecBounds.arguments)
        for (index, argument) in command.enumerated() { try checkString(argument, at: "command[\(index)]") }
        let bytes = command.reduce(0) { $0 + $1.utf8.count }
        guard bytes <= SpecBounds.argumentBytes else {
            throw SpecProblem(
                at: "command", "\(bytes) bytes, more than \(SpecBounds.argumentBytes)",
                hint: "pass large data by standard input or in a mount")
        }
    }

    private func checkEnvironment() throws(SpecProblem) {
        try checkCount(environment.count, at: "environment", atMost: SpecBounds.variables)
        var bytes = 0
        for name in environment.keys.sorted() {
            let value = environment[name] ?? ""
            let key = "environment.\(TerminalText.harmless(name, limit: 64))"
            try specProblem(at: key) { () throws(ValueProblem) in try EnvironmentName.check(name) }
            try checkString("\(name)=\(value)", at: key)
            bytes += name.utf8.count + value.utf8.count
        }
        guard bytes <= SpecBounds.environmentBytes else {
            throw SpecProblem(
                at: "environment", "\(bytes) bytes, more than \(SpecBounds.environmentBytes)",
                hint: "pass large data by standard input or in a mount")
        }
        guard environment["SANDPOOL_JOB_ID"] == nil else {
            throw SpecProblem(at: "environment.SANDPOOL_JOB_ID", "is set by Sandpool", hint: "choose another name")
        }
    }

    private func checkNames() throws(SpecProblem) {
        if let name { try specProblem(at: "name") { () throws(ValueProblem) in try ResourceName.check(name) } }
        if let user { try specProblem(at: "user") { () throws(ValueProblem) in try UserName.check(user) } }
        if let workingDirectory {
            _ = try specProblem(at: "workdir") { () throws(ValueProblem) in
                try SandboxPath.normalize(workingDirectory)
            }
        }
        guard let key = idempotencyKey else { return }
        let fits = (1...SpecBounds.idempotencyKeyBytes).contains(key.utf8.count)
        guard fits, !key.utf8.contains(where: \.isASCIIControl) else {
            throw SpecProblem(
                at: "idempotencyKey", "is empty, too long, or has control characters",
                hint: "use 1 to \(SpecBounds.idempotencyKeyBytes) bytes of text")
        }
    }

    private func checkLabels(
        _ labels: [String: String], at key: String, atMost limit: Int
    ) throws(SpecProblem) {
        try checkCount(labels.count, at: key, atMost: limit)
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            _ = try specProblem(at: "\(key).\(TerminalText.harmless(name, limit: 64))") { () throws(ValueProblem) in
                try Label(key: name, value: value)
            }
        }
    }

    private func checkMounts() throws(SpecProblem) {
        try checkCount(mounts.count, at: "mounts", atMost: SpecBounds.mounts)
        var taken: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let path = try specProblem(at: "mounts[\(index)].path") { () throws(ValueProblem) in
                try SandboxPath.normalizeForFiles(mount.path)
            }
            guard taken.insert(path).inserted else {
                throw SpecProblem(
                    at: "mounts[\(index)].path", "another mount is at '\(TerminalText.harmless(path, limit: 64))'",
                    hint: "give each mount its own path")
            }
            guard BlobDigest.isWellFormed(mount.blob) else {
                throw SpecProblem(
                    at: "mounts[\(index)].blob", "is not sha256: and 64 hexadecimal digits",
                    hint: "upload the archive with POST /v1/blobs and take the digest from the answer")
            }
        }
    }

    private func checkDownloads() throws(SpecProblem) {
        try checkCount(downloads.count, at: "downloads", atMost: SpecBounds.downloads)
        for (index, path) in downloads.enumerated() {
            _ = try specProblem(at: "downloads[\(index)]") { () throws(ValueProblem) in
                try SandboxPath.normalizeForFiles(path)
            }
        }
    }

    private func checkRepetition() throws(SpecProblem) {
        guard SpecBounds.priority.contains(priority) else {
            throw SpecProblem(at: "priority", "\(priority) is out of range", hint: "use -1000 to 1000")
        }
        guard SpecBounds.retries.contains(retries) else {
            throw SpecProblem(at: "retries", "\(retries) is out of range", hint: "use 0 to 10")
        }
        guard stdin == .stream else { return }
        guard retries == 0 else {
            throw SpecProblem(
                at: "retries", "a streamed standard input cannot be given a second time",
                hint: "leave out retries, or put the input into a mount")
        }
        guard rerun != .safe else {
            throw SpecProblem(
                at: "rerun", "a streamed standard input cannot be given a second time",
                hint: "leave out rerun, or put the input into a mount")
        }
    }

    private func checkCount(_ count: Int, at key: String, atMost limit: Int) throws(SpecProblem) {
        guard count <= limit else {
            throw SpecProblem(at: key, "\(count) entries, more than \(limit)", hint: "use fewer")
        }
    }

    private func checkString(_ text: String, at key: String) throws(SpecProblem) {
        guard !text.hasNUL else {
            throw SpecProblem(at: key, "has a NUL byte, which ends a string for the kernel", hint: "leave it out")
        }
        guard text.utf8.count <= SpecBounds.stringBytes else {
            throw SpecProblem(
                at: key, "\(text.utf8.count) bytes, more than the \(SpecBounds.stringBytes) that the kernel takes",
                hint: "pass large data by standard input or in a mount")
        }
    }
}

/// Runs a check of a single value and says where in the spec that value stands.
func specProblem<Value>(
    at key: String, _ check: () throws(ValueProblem) -> Value
) throws(SpecProblem) -> Value {
    do {
        return try check()
    } catch {
        throw SpecProblem(at: key, error.message, hint: error.hint)
    }
}
