/// How a stream of a further command lies in its spool: round and round in a file of fixed size. What its reader is
/// done with is written over, so that a stream of any length takes no more than this, on every file system.
public struct SpoolRing: Equatable, Sendable {
    /// Bytes that may wait for the reader while the command runs; with more, its writer waits.
    public let backlogBytes: UInt64

    /// For what is in the pipe when the command has ended, and for the mark of a stream that is cut: the end waits for
    /// no reader. A process without CAP_SYS_RESOURCE can write no more than 1 MiB to a pipe, unless the host allows it
    /// (pipe(7), /proc/sys/fs/pipe-max-size). What splice(2) moves into it from a socket may be more: a pipe has
    /// slots, and a slot holds a piece of any size. The end of that waits for the reader, as for a disk
    /// (`Spooler.roomLimitMs`).
    private static let reserve: UInt64 = 1 << 20 + 4_096

    public init(backlogBytes: UInt64) { self.backlogBytes = backlogBytes }

    /// The most that the file grows to.
    public var fileBytes: UInt64 { backlogBytes + Self.reserve }

    /// Where a byte of the stream lies in the file, and how many bytes from there on are in one piece.
    public func place(of offset: UInt64) -> (position: UInt64, count: UInt64) {
        let position = offset % fileBytes
        return (position, fileBytes - position)
    }
}
