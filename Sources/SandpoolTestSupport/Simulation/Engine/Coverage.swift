/// What a simulated world has gone through. Each has to have been reached by the end of a long run: a fault that never
/// comes shows nothing.
enum Reached: Int, CaseIterable {
    // Faults of the network.
    case connectionBroken, halfOpen, oneWayLoss, partition, lateDelivery, connectRefused, connectTimedOut
    // Faults of processes and hosts.
    case workerCrashed, workerStopped, workerFrozen, launcherCrashed, hostCrashed
    case coordinatorStopped, coordinatorCrashed, coordinatorHostCrashed, wallClockJumped, timerLate, timerTwice
    // Faults of disks.
    case diskSlow, workerDiskFull, coordinatorDiskFull, storeFailed, journalTorn, recordLost, outputTorn
    // What clients and operators do.
    case submittedAgain, cancelledQueued, cancelledHeld, drained, drainDeadline, resumed, forgotten
    // What sandboxes do.
    case startFailed, commandNotFound, timedOut, ignoredTerm, longOutput, tailOutput, setUpSlowly, uploaded
    // What the code under test went through.
    case adopted, resultReplayed, resultRepeated, resultFenced, leaseReturned, attemptLost, attemptReplaced
    case killedOnWelcome, killedBySilence, requeued, queueTimeout, expiredLease, outputResumed, poisoned
    case commitTogether, recoveryWindow, userRetry, neverAsked, neverBegan, quarantined, quarantineEnded
}

/// How often each was reached.
struct Coverage {
    private(set) var counts = [Int](repeating: 0, count: Reached.allCases.count)

    mutating func note(_ what: Reached) { counts[what.rawValue] += 1 }

    mutating func add(_ other: Coverage) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    subscript(_ what: Reached) -> Int { counts[what.rawValue] }
}
