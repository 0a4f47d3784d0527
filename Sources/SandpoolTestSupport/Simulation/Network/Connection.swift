import SandpoolAPI
import SandpoolModel

/// What travels from a worker to the coordinator.
enum UpItem {
    case message(WorkerMessage)
    case output(OutputPiece)
    /// The worker's side of the connection has ended.
    case end
}

/// What travels from the coordinator to a worker.
enum DownItem {
    case message(CoordinatorMessage)
    case end
}

/// Bytes of output on their way. A simulated byte is known by where it was written: `source` says which spool and where
/// in it, so that bytes which land in another place are seen to be wrong.
struct OutputPiece {
    var attempt: AttemptID
    var epoch: Int64
    var stream: OutputStreamCode
    var offset: Int64
    var count: Int64
    var source: Source

    struct Source: Equatable {
        var sandbox: AttemptID
        var stream: OutputStreamCode
        var offset: Int64
    }
}

/// One direction of a connection: bytes arrive in their order, or not at all from some point on (tcp(7)).
struct OneWay<Item> {
    /// When the last of what was sent arrives.
    var lastArrival: Int64 = 0
    /// What is sent while the path takes nothing; TCP sends it again once it does.
    var held: [Item] = []
    /// Nothing arrives from this moment on.
    var cutAt = Int64.max
}

/// A session's connection as the network and both ends' kernels see it.
struct Connection {
    let host: Int
    /// Which start of each process holds an end.
    let worker: Int
    let coordinator: Int
    /// The worker's own number of the session.
    let session: Int
    var up = OneWay<UpItem>()
    var down = OneWay<DownItem>()
    /// Whether each end has not been told that the connection is over.
    var isOpenAtWorker = true
    var isOpenAtCoordinator = true
}

/// What of the paths between one host and the coordinator works.
struct Path {
    var isUpBlocked = false
    var isDownBlocked = false

    var isBlocked: Bool { isUpBlocked || isDownBlocked }
}
