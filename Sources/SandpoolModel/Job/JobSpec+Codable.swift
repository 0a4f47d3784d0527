extension JobSpec: Codable {
    /// The flat JSON form: units are part of the keys, so a number never needs a guess.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case command, image, name, tags, environment, workdir, user
        case cpus, memoryBytes, diskBytes, pids, outputBytes
        case timeoutSeconds, graceSeconds, queueTimeoutSeconds, idleTimeoutSeconds
        case blockNetwork, allowCIDRs, allowDomains
        case mounts, downloads, require, priority, retries, rerun, idempotencyKey, stdin, onDisconnect
        case onOutputLimit
    }

    /// - Throws: `SpecProblem` for an unknown key, `DecodingError` for a value of the wrong type.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try values.decodeIfPresent(Value.self, forKey: key)
        }
        self.init(command: try values.decodeCommand(forKey: .command))
        image = try optional(.image)
        name = try optional(.name)
        tags = try optional(.tags) ?? tags
        environment = try optional(.environment) ?? environment
        workingDirectory = try optional(.workdir)
        user = try optional(.user)
        resources.cpus = try optional(.cpus)
        resources.memoryBytes = try optional(.memoryBytes)
        resources.diskBytes = try optional(.diskBytes)
        resources.pids = try optional(.pids)
        resources.outputBytes = try optional(.outputBytes)
        timeoutSeconds = try optional(.timeoutSeconds)
        graceSeconds = try optional(.graceSeconds)
        queueTimeoutSeconds = try optional(.queueTimeoutSeconds)
        idleTimeoutSeconds = try optional(.idleTimeoutSeconds)
        network.block = try optional(.blockNetwork)
        network.allowCIDRs = try optional(.allowCIDRs) ?? network.allowCIDRs
        network.allowDomains = try optional(.allowDomains) ?? network.allowDomains
        mounts = try optional(.mounts) ?? mounts
        downloads = try optional(.downloads) ?? downloads
        require = try optional(.require) ?? require
        priority = try optional(.priority) ?? priority
        retries = try optional(.retries) ?? retries
        rerun = try optional(.rerun)
        idempotencyKey = try optional(.idempotencyKey)
        stdin = try optional(.stdin) ?? stdin
        onDisconnect = try optional(.onDisconnect) ?? onDisconnect
        onOutputLimit = try optional(.onOutputLimit) ?? onOutputLimit
    }

    /// Writes `command` and whatever is not at its default.
    public func encode(to encoder: any Encoder) throws {
        let plain = JobSpec(command: command)
        var values = encoder.container(keyedBy: CodingKeys.self)
        func encode<Value: Encodable & Equatable>(_ field: KeyPath<JobSpec, Value>, _ key: CodingKeys) throws {
            guard self[keyPath: field] != plain[keyPath: field] else { return }
            try values.encode(self[keyPath: field], forKey: key)
        }
        try values.encode(command, forKey: .command)
        try encode(\.image, .image)
        try encode(\.name, .name)
        try encode(\.tags, .tags)
        try encode(\.environment, .environment)
        try encode(\.workingDirectory, .workdir)
        try encode(\.user, .user)
        try encode(\.resources.cpus, .cpus)
        try encode(\.resources.memoryBytes, .memoryBytes)
        try encode(\.resources.diskBytes, .diskBytes)
        try encode(\.resources.pids, .pids)
        try encode(\.resources.outputBytes, .outputBytes)
        try encode(\.timeoutSeconds, .timeoutSeconds)
        try encode(\.graceSeconds, .graceSeconds)
        try encode(\.queueTimeoutSeconds, .queueTimeoutSeconds)
        try encode(\.idleTimeoutSeconds, .idleTimeoutSeconds)
        try encode(\.network.block, .blockNetwork)
        try encode(\.network.allowCIDRs, .allowCIDRs)
        try encode(\.network.allowDomains, .allowDomains)
        try encode(\.mounts, .mounts)
        try encode(\.downloads, .downloads)
        try encode(\.require, .require)
        try encode(\.priority, .priority)
        try encode(\.retries, .retries)
        try encode(\.rerun, .rerun)
        try encode(\.idempotencyKey, .idempotencyKey)
        try encode(\.stdin, .stdin)
        try encode(\.onDisconnect, .onDisconnect)
        try encode(\.onOutputLimit, .onOutputLimit)
    }
}

extension KeyedDecodingContainer {
    /// A command: an array is argv; a string is a line for the shell.
    func decodeCommand(forKey key: Key) throws -> [String] {
        if let line = try? decode(String.self, forKey: key) { return ["/bin/sh", "-c", line] }
        return try decode([String].self, forKey: key)
    }
}
