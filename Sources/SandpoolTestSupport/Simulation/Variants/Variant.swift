/// Ways in which the code is broken on purpose, one in a world: each has to be found, or the simulation shows nothing.
///
/// All are made from outside of the shipped code, in what passes between it and its world.
package enum Variant: String, CaseIterable, Sendable {
    /// The store takes results of attempts that were lost or replaced.
    case fenceRemoved
    /// The store takes a repeated result as a new one.
    case duplicateTakenAsNew
    /// A store's answer comes before its commit is on the disk.
    case commitAnsweredEarly
    /// Output is acknowledged before it is on the disk.
    case outputAcknowledgedEarly
    /// The journal's answer comes before the result is on the disk.
    case journalAnsweredEarly
    /// The sandbox is taken down before its result is in the journal.
    case resultAfterTeardown
    /// The journal drops a result when it is sent, not when it is answered.
    case journalDroppedEarly
    /// The lease is counted from when its renewal comes back.
    case leaseCountedFromReceipt
    /// A coordinator that starts counts its workers as silent since long ago.
    case recoveryWindowSkipped
    /// A worker is not told to kill what nobody wants any more.
    case killOfUnknownSkipped
    /// The place of a silent worker's attempt is given away before that worker ends it.
    case replacedTooEarly
    /// A worker never ends what may be running elsewhere.
    case ownKillMissing
    /// A worker takes each launcher for the one before it.
    case launchersAlike
    /// A worker that starts does not read the records of the one before.
    case adoptionSkipped
    /// The record is not written before the sandbox is asked for.
    case recordNotSaved
    /// The coordinator does not hear what a worker still holds.
    case inventoryIgnored
    /// A worker that comes back is told that more of its output is there than is.
    case outputResumedAhead
    /// A worker does not hear that its result came too late.
    case fencedUnheard
    /// A worker does not hear that it is to end a command.
    case cancelUnheard
    /// The store forgets that a job is not wanted.
    case cancelForgotten
    /// A job that must not run twice is stored as one that may.
    case rerunAlwaysSafe
    /// Queue timeouts and retries are never looked at again.
    case queueNeverWakes
    /// No job ever tries a worker that is quarantined.
    case quarantineNeverEnds
}
