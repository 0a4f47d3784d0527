import SandpoolModel
import SandpoolStore

/// When the queue's conversation has its next turn.
struct QueueAlarm: Sendable {
    var moment: Duration?
}

/// The queue's conversation: queue timeouts, and delayed retries that become claimable.
extension CoordinatorState {
    mutating func submitted(_ deadlines: [Timestamp]) {
        if let first = deadlines.min() { wakeQueue(at: first) }
        post(.queueChanged)
    }

    /// Looks at the queue when `deadline` has come.
    mutating func wakeQueue(at deadline: Timestamp) {
        let moment = moment.uptime + deadline.since(self.moment.wall)
        if let set = queue.moment, set <= moment { return }
        queue.moment = moment
        effects.append(.wake(.queue, at: moment))
    }

    mutating func turnOfQueue() {
        queue.moment = nil
        call(.queue, .advanceQueue)
    }

    mutating func queueAnswered(_ answer: StoreAnswer) {
        switch answer {
        case .advanced(let advance):
            for job in advance.expired { finished(job) }
            if advance.released > 0 || !advance.expired.isEmpty { post(.queueChanged) }
            let isMore = max(advance.released, advance.expired.count) >= StoreLimits.batch
            call(.queue, isMore ? .advanceQueue : .nextQueueDeadline)
        case .deadline(let deadline):
            if let deadline { wakeQueue(at: deadline) }
        default: queueFailed(.mismatch)
        }
    }

    mutating func queueFailed(_ failure: Failure) {
        logStandstill("queue timeouts and retries stand", failure)
        effects.append(.wake(.queue, at: moment.uptime + storeFailureDelay))
    }
}
