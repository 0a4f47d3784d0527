extension JobSpec {
    func checkImage(limits: PoolLimits) throws(SpecProblem) {
        guard let image else { return }
        let reference = try specProblem(at: "image") { () throws(ValueProblem) in try ImageReference(image) }
        if let allowed = limits.images, !allowed.contains(image) {
            throw SpecProblem(
                .overLimit, at: "image", "'\(image)' is not among this pool's images",
                hint: allowed.isEmpty ? "this pool allows none" : "use one of \(allowed.joined(separator: ", "))")
        }
        switch reference {
        case .host, .scratch, .mmdebstrap: return
        case .registry:
            let near = nearestWord(to: image, in: ["host", "scratch", "mmdebstrap:bookworm"])
            throw SpecProblem(
                .unsupported, at: "image", "'\(image)' would come from a registry, which is not supported yet",
                hint: near.map { "did you mean \($0)?" } ?? "use host, scratch or mmdebstrap:SUITE")
        case .image:
            throw SpecProblem(
                .unsupported, at: "image", "images that were built are not supported yet",
                hint: "use host, scratch or mmdebstrap:SUITE")
        }
    }

    func checkNetwork(limits: PoolLimits) throws(SpecProblem) {
        guard network.isBlocked || limits.allowsNetwork else {
            throw SpecProblem(
                .overLimit, at: "blockNetwork", "this pool gives no network", hint: "set blockNetwork to true")
        }
        guard network.allowCIDRs.count <= SpecBounds.networks else {
            throw SpecProblem(at: "allowCIDRs", "more than \(SpecBounds.networks) entries", hint: "use wider ones")
        }
        guard network.allowDomains.count <= SpecBounds.domains else {
            throw SpecProblem(at: "allowDomains", "more than \(SpecBounds.domains) entries", hint: "use *.DOMAIN")
        }
        for (index, block) in network.allowCIDRs.enumerated() {
            _ = try specProblem(at: "allowCIDRs[\(index)]") { () throws(ValueProblem) in try CIDRBlock(block) }
        }
        for (index, domain) in network.allowDomains.enumerated() {
            _ = try specProblem(at: "allowDomains[\(index)]") { () throws(ValueProblem) in try DomainPattern(domain) }
        }
        guard network.isBlocked, !(network.allowCIDRs.isEmpty && network.allowDomains.isEmpty) else { return }
        throw SpecProblem(
            at: network.allowCIDRs.isEmpty ? "allowDomains" : "allowCIDRs", "contradicts blockNetwork",
            hint: "leave out one of the two")
    }

    func checkResources(limits: PoolLimits) throws(SpecProblem) {
        try check(resources.cpus, at: "cpus", from: SpecBounds.leastCPUs, to: limits.cpus) { "\($0)" }
        try check(
            resources.memoryBytes, at: "memoryBytes", from: SpecBounds.leastMemoryBytes, to: limits.memoryBytes,
            ByteSize.format)
        try check(
            resources.diskBytes, at: "diskBytes", from: SpecBounds.leastDiskBytes, to: limits.diskBytes,
            ByteSize.format)
        try check(resources.pids, at: "pids", from: SpecBounds.leastPids, to: limits.pids) { "\($0)" }
        try check(resources.outputBytes, at: "outputBytes", from: 1, to: limits.outputBytes, ByteSize.format)
    }

    func checkTimes(limits: PoolLimits) throws(SpecProblem) {
        try check(timeoutSeconds, at: "timeoutSeconds", from: 0.001, to: limits.timeoutSeconds, Self.seconds)
        try check(graceSeconds, at: "graceSeconds", from: 0, to: limits.graceSeconds, Self.seconds)
        try check(
            queueTimeoutSeconds, at: "queueTimeoutSeconds", from: 0.001, to: SpecBounds.longestSeconds, Self.seconds)
        try check(
            idleTimeoutSeconds, at: "idleTimeoutSeconds", from: 0.001, to: SpecBounds.longestSeconds, Self.seconds)
    }

    private static func seconds(_ value: Double) -> String { "\(value) s" }

    /// A comparison with NaN is false, so NaN is below every least value.
    private func check<Number: Comparable>(
        _ value: Number?, at key: String, from least: Number, to most: Number, _ show: (Number) -> String
    ) throws(SpecProblem) {
        guard let value else { return }
        guard value >= least else {
            throw SpecProblem(at: key, "\(show(value)) is too little", hint: "use at least \(show(least))")
        }
        guard value <= most else {
            throw SpecProblem(
                .overLimit, at: key, "\(show(value)) is more than this pool allows", hint: "use at most \(show(most))")
        }
    }
}
