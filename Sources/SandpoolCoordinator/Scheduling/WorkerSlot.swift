import SandpoolModel
import SandpoolStore

/// What a connected worker offers.
struct WorkerOffer: Hashable, Sendable {
    var id: WorkerID
    var capacity: Resources
    var labels: [String: String]
    /// Images that start there without fetching or building.
    var images: Set<String>
    var offersHostImage: Bool
    var drains: Bool
    /// Whether a disk may be as large as the memory, or larger.
    var makesDisks = true
    var admission = Admission.all

    /// What a quarantine lets through.
    enum Admission: Hashable, Sendable {
        case all
        /// A job at a time, which tries whether sandboxes can be set up there.
        case trial
        case none
    }

    /// Whether it could run the job when empty.
    func suits(resources: Resources, require: [String: String], image: String?) -> Bool {
        capacity.fits(resources) && require.allSatisfy { labels[$0.key] == $0.value }
            && (offersHostImage || image != "host") && (makesDisks || !resources.takesDisk)
    }
}

/// A connected worker and what the scheduler has given it.
struct WorkerSlot: Sendable {
    var offer: WorkerOffer
    private(set) var held: [JobID: Resources]
    /// What is not given out; negative where more than fits was prefetched.
    private(set) var free: Resources
    /// The job that tries the worker.
    private var trial: JobID?
    /// Moving average of how long attempts lately stayed; `nil` until one has ended.
    private var typicalStay: Duration?

    init(offer: WorkerOffer, held: [JobID: Resources]) {
        self.offer = offer
        self.held = held
        free = held.values.reduce(offer.capacity, -)
    }

    mutating func take(_ job: QueuedJob) {
        held[job.id] = job.resources
        free = free - job.resources
        if offer.admission == .trial { trial = job.id }
    }

    mutating func admit(_ admission: WorkerOffer.Admission) {
        offer.admission = admission
        trial = nil
    }

    mutating func release(_ job: JobID, after stay: Duration?) {
        guard let resources = held.removeValue(forKey: job) else { return }
        free = free + resources
        if trial == job { trial = nil }
        guard let stay else { return }
        typicalStay = typicalStay.map { ($0 * 3 + stay) / 4 } ?? stay
    }

    /// Whether the job may run here at all.
    func accepts(_ job: QueuedJob) -> Bool {
        !offer.drains && offer.admission != .none
            && offer.suits(resources: job.resources, require: job.require, image: job.image)
    }

    /// Whether another job may be placed here before one that is here has ended.
    var isOpen: Bool { !offer.drains && offer.admission != .none && trial == nil }

    /// Whether anything may be placed here, whatever its size.
    func hasRoom(tuning: SchedulerState.Tuning) -> Bool {
        guard isOpen else { return false }
        return (free.cpuMillis > 0 && free.memoryBytes > 0) || prefetches(tuning: tuning)
    }

    /// Whether a job that does not fit now may wait here for its turn.
    func canPrefetch(_ job: QueuedJob, tuning: SchedulerState.Tuning) -> Bool {
        guard prefetches(tuning: tuning) else { return false }
        let overdrawn = Resources.zero - free + job.resources
        let allowance = Int64(tuning.prefetch)
        return overdrawn.cpuMillis <= job.resources.cpuMillis * allowance
            && overdrawn.memoryBytes <= max(job.resources.memoryBytes * allowance, 0)
    }

    private func prefetches(tuning: SchedulerState.Tuning) -> Bool {
        guard let typicalStay, offer.admission == .all else { return false }
        return typicalStay < tuning.prefetchBelow && free.cpuMillis > -offer.capacity.cpuMillis * Int64(tuning.prefetch)
    }

    /// The part of the scarcest dimension that is free, 0…1.
    var freeShare: Double {
        func share(_ part: Int64, _ whole: Int64) -> Double { whole > 0 ? Double(max(part, 0)) / Double(whole) : 1 }
        return min(
            share(free.cpuMillis, offer.capacity.cpuMillis), share(free.memoryBytes, offer.capacity.memoryBytes),
            share(free.diskBytes, offer.capacity.diskBytes))
    }

    /// Orders workers for a job: untried before tried, image at hand before not, then the fullest.
    func rank(for job: QueuedJob) -> WorkerRank {
        WorkerRank(
            wasTried: job.triedWorkers.contains(offer.id),
            lacksImage: job.image.map { $0 != "host" && !offer.images.contains($0) } ?? false,
            // Below zero the shares are all 0: then the one with less waiting goes first.
            overdraft: max(0, -free.cpuMillis), freeShare: freeShare, id: offer.id)
    }
}

/// How well a worker suits a job; the least is the best.
struct WorkerRank: Comparable {
    var wasTried: Bool
    var lacksImage: Bool
    var overdraft: Int64
    var freeShare: Double
    var id: WorkerID

    static func < (left: Self, right: Self) -> Bool {
        if left.wasTried != right.wasTried { return right.wasTried }
        if left.lacksImage != right.lacksImage { return right.lacksImage }
        return (left.overdraft, left.freeShare, left.id) < (right.overdraft, right.freeShare, right.id)
    }
}
