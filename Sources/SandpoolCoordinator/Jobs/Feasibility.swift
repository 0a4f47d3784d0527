import SandpoolModel

/// Where a job could run, in words.
enum Feasibility {
    /// Why no enrolled worker, connected or not, can ever run a job; `nil` where one can, or none is enrolled.
    static func problem(
        of spec: JobSpec, resources: Resources, with offers: [WorkerOffer]
    ) -> (message: String, hint: String)? {
        guard !offers.isEmpty else { return nil }
        let suiting = offers.contains { offer in
            offer.suits(resources: resources, require: spec.require, image: spec.image)
        }
        guard !suiting else { return nil }
        let labelled = offers.filter { offer in spec.require.allSatisfy { offer.labels[$0.key] == $0.value } }
        guard !labelled.isEmpty else {
            let wanted = spec.require.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return (
                "require: no worker has \(wanted.joined(separator: " "))",
                "list labels with 'sandpool worker ls', or start a worker with --label")
        }
        if spec.image == "host", !labelled.contains(where: \.offersHostImage) {
            return ("image: no worker offers the image host", "ask for mmdebstrap:bookworm or another image")
        }
        if resources.takesDisk, !labelled.contains(where: \.makesDisks) {
            let (disk, memory) = (ByteSize.format(resources.diskBytes), ByteSize.format(resources.memoryBytes))
            return (
                "diskBytes: no worker can make a disk of \(disk), which does not fit into \(memory) of memory",
                "ask for a disk smaller than the memory, or run a worker's launcher as root, with mke2fs or project "
                    + "quotas")
        }
        let able = labelled.filter { offer in
            (spec.image != "host" || offer.offersHostImage) && (!resources.takesDisk || offer.makesDisks)
        }
        guard let nearest = able.max(by: { nearness($0, resources) < nearness($1, resources) }) else {
            return (
                "no worker has both: the image host, and disks that do not fit into the memory",
                "ask for another image, or for a disk smaller than the memory")
        }
        let lacks = lacking(resources, in: nearest.capacity, "there are")
        return (
            "no worker is large enough: \(lacks.joined(separator: ", ")) on the nearest, \(nearest.id)",
            "ask for less, or add a larger worker")
    }

    /// How much of each dimension that lacks is there, the worst counting.
    private static func nearness(_ offer: WorkerOffer, _ wanted: Resources) -> Double {
        func share(_ have: Int64, _ want: Int64) -> Double { want > 0 ? min(1, Double(have) / Double(want)) : 1 }
        return min(
            share(offer.capacity.cpuMillis, wanted.cpuMillis), share(offer.capacity.memoryBytes, wanted.memoryBytes),
            share(offer.capacity.diskBytes, wanted.diskBytes))
    }

    /// The dimensions of `wanted` that do not fit into `room`, each in words.
    static func lacking(_ wanted: Resources, in room: Resources, _ verb: String) -> [String] {
        var lines: [String] = []
        if wanted.cpuMillis > room.cpuMillis {
            let cpus = Double(max(0, room.cpuMillis)) / 1_000
            lines.append("cpus: \(Double(wanted.cpuMillis) / 1_000) wanted, \(verb) \(cpus)")
        }
        for (name, want, have) in [
            ("memory", wanted.memoryBytes, room.memoryBytes), ("disk", wanted.diskBytes, room.diskBytes),
        ] where want > have {
            lines.append("\(name): \(ByteSize.format(want)) wanted, \(verb) \(ByteSize.format(max(0, have)))")
        }
        return lines
    }
}
