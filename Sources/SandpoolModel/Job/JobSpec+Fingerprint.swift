extension JobSpec {
    /// Bytes that two specs share exactly when they ask for the same, the idempotency key left aside.
    ///
    /// Take them from the spec as it was sent, before a pool's defaults are filled in: a change of the defaults
    /// between two tries must not turn one job into two. They are for comparing within one version, whole or
    /// hashed, and are read back by nothing.
    public var fingerprint: [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append(command)
        bytes.append(image)
        bytes.append(name)
        bytes.append(tags)
        bytes.append(environment)
        bytes.append(workingDirectory)
        bytes.append(user)
        bytes.append(resources.cpus)
        bytes.append(resources.memoryBytes)
        bytes.append(resources.diskBytes)
        bytes.append(resources.pids.map(Int64.init))
        bytes.append(resources.outputBytes)
        bytes.append(timeoutSeconds)
        bytes.append(graceSeconds)
        bytes.append(queueTimeoutSeconds)
        bytes.append(idleTimeoutSeconds)
        bytes.append(network.block.map { $0 ? 1 : 2 } ?? 0)
        bytes.append(network.allowCIDRs)
        bytes.append(network.allowDomains)
        bytes.append(mounts.flatMap { [$0.blob, $0.path, $0.isFile ? "file" : "directory"] })
        bytes.append(downloads)
        bytes.append(require)
        bytes.append(Int64(priority))
        bytes.append(Int64(retries))
        bytes.append(rerun?.rawValue)
        bytes.append(stdin.rawValue)
        bytes.append(onDisconnect.rawValue)
        bytes.append(onOutputLimit.rawValue)
        return bytes.bytes
    }
}

/// Values one behind the other, each with its length or presence before it, so that no two sequences of values
/// have the same bytes.
private struct CanonicalBytes {
    var bytes: [UInt8] = []

    mutating func append(_ value: Int64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) {
        append(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ texts: [String]) {
        append(Int64(texts.count))
        for text in texts { append(text) }
    }

    /// In the order of the keys' bytes, since a dictionary has none.
    mutating func append(_ pairs: [String: String]) {
        append(Int64(pairs.count))
        for (key, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            append(key)
            append(value)
        }
    }

    mutating func append(_ text: String?) {
        bytes.append(text == nil ? 0 : 1)
        if let text { append(text) }
    }

    mutating func append(_ value: Int64?) {
        bytes.append(value == nil ? 0 : 1)
        if let value { append(value) }
    }

    mutating func append(_ value: Double?) {
        append(value.map { Int64(bitPattern: $0.bitPattern) })
    }
}
