/// What goes wrong in a simulated world.
enum Fault: CaseIterable {
    /// A session's connection breaks; both ends are told, sooner or later.
    case breakConnection
    /// One end is never told.
    case halfOpen
    /// Nothing gets through in one direction, or in both, for some time.
    case oneWayLoss, partition
    /// The worker process ends where it stands, and starts again.
    case crashWorker
    /// The same while it does what a step asked for: some of it is done and the rest is not.
    case crashWorkerInStep
    /// It ends in order, and starts again.
    case stopWorker
    /// It stands still for some time, as under SIGSTOP or on a host that is paused.
    case freezeWorker
    case crashLauncher
    /// The host goes down and boots.
    case crashHost
    case stopCoordinator
    case crashCoordinator
    case crashCoordinatorInStep
    /// With what its kernel had not written.
    case crashCoordinatorHost
    case jumpClock
    case slowDisk, fullWorkerDisk, fullCoordinatorDisk
    /// A commit, or a sync of output, fails.
    case failStore
    /// An operator drains a worker, at times with a deadline, and resumes it.
    case drain
    /// An operator takes a worker for dead and has it forgotten.
    case forget
}
