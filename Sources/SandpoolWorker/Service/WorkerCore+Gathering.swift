import SandpoolModel

/// Ends of attempts, written to the journal together on a busy host.
///
/// A short job costs one sync here, one message, one commit and one decision of the scheduler there. With many
/// attempts alive these are what bounds the rate, and a few milliseconds of company share them among several.
/// A host with few attempts never waits (Docs/decisions/0004).
extension WorkerCore {
    func gather(_ end: AttemptEnd, of id: AttemptID) {
        gathered.append((id, end))
        if attempts.count <= Limits.busyAttempts || gathered.count >= Limits.gatheredEnds {
            journalGathered()
        } else if gathered.count == 1 {
            let group = gatheredGroups
            schedule(afterMs: Limits.gatherMs) { core in
                if core.gatheredGroups == group { core.journalGathered() }
            }
        }
    }

    private func journalGathered() {
        let ends = gathered
        gathered = []
        gatheredGroups += 1
        for (id, end) in ends { journalEnd(end, of: id) }
    }
}
