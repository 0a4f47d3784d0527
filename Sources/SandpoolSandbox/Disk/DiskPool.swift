import Glibc
import LinuxSystem

/// Images for sandboxes whose writable layer does not fit their memory, some of them ready before they are asked for.
///
/// The sizes that were asked for last are the ones that are kept ready. A ready disk is sparse; its room on the
/// host's disk is taken when a sandbox gets it, so that the promise holds and nothing is held for nobody. All of it
/// is done by children: the launcher itself never waits for a disk.
final class DiskPool {
    private struct Wish {
        var bytes: UInt64
        /// Nil for one that is made ahead.
        var done: ((Result<DiskImage, StageError>) -> Void)?
    }

    private let directory: FileDescriptor
    private let loop: EventLoop
    private var ready: [DiskImage] = []
    private var wishes: [Wish] = []
    private var ahead: [UInt64] = []
    private var atWork = 0

    /// Ready disks of one size, and of all; each holds a loop device.
    private static let readyOfOneSize = 2
    private static let readyLimit = 4
    /// Children at a time: they share the disk.
    private static let atWorkLimit = 4

    init(_ directory: FileDescriptor, _ loop: EventLoop) {
        self.directory = directory
        self.loop = loop
    }

    /// Calls `done` with a disk on which just so many bytes can be written, or why there is none.
    func take(bytes: UInt64, _ done: @escaping (Result<DiskImage, StageError>) -> Void) {
        // Before any that is made ahead.
        let place = wishes.firstIndex { $0.done == nil } ?? wishes.endIndex
        wishes.insert(Wish(bytes: bytes, done: done), at: place)
        work()
    }

    var isAtRest: Bool { atWork == 0 && wishes.isEmpty }

    /// For a disk that nobody uses any more.
    func release(_ image: DiskImage) { DiskWorker.release(image.mount, loop) }

    private func work() {
        while atWork < Self.atWorkLimit, !wishes.isEmpty {
            let wish = wishes.removeFirst()
            guard let done = wish.done else {
                makeAhead(wish.bytes)
                continue
            }
            if let index = ready.firstIndex(where: { $0.bytes == wish.bytes }) {
                reserve(ready.remove(at: index), done)
            } else {
                make(wish.bytes, isReserved: true, done)
            }
            wishAhead(wish.bytes)
        }
    }

    private func wishAhead(_ bytes: UInt64) {
        let count = ready.count { $0.bytes == bytes } + ahead.count { $0 == bytes }
        guard count < Self.readyOfOneSize, ahead.count < Self.readyLimit else { return }
        ahead.append(bytes)
        wishes.append(Wish(bytes: bytes, done: nil))
    }

    private func makeAhead(_ bytes: UInt64) {
        make(bytes, isReserved: false) { [unowned self] outcome in
            ahead.firstIndex(of: bytes).map { _ = ahead.remove(at: $0) }
            // Whoever asks for this size next is told of a failure.
            guard case .success(let image) = outcome else { return }
            ready.append(image)
            if ready.count > Self.readyLimit { release(ready.removeFirst()) }
        }
    }

    private func make(
        _ bytes: UInt64, isReserved: Bool, _ done: @escaping (Result<DiskImage, StageError>) -> Void
    ) {
        let directory = directory
        run(
            keeping: [directory],
            { () throws(SystemError) in
                let image = try DiskImage.make(bytes: bytes, in: directory, isReserved: isReserved)
                return [image.mount.descriptor, image.file]
            },
            then: { outcome in
                switch outcome {
                case .success(let made) where made.count == 2:
                    done(.success(DiskImage(bytes: bytes, mount: Mount(descriptor: made[0]), file: made[1])))
                case .success: done(.failure(WritableDisk.failure(SystemError("disk", code: EBADMSG), bytes: bytes)))
                case .failure(let error): done(.failure(WritableDisk.failure(error, bytes: bytes)))
                }
            })
    }

    private func reserve(_ image: DiskImage, _ done: @escaping (Result<DiskImage, StageError>) -> Void) {
        run(
            keeping: [image.file],
            { () throws(SystemError) in
                try DiskImage.reserve(image.file)
                return []
            },
            then: { [unowned self] outcome in
                if case .failure(let error) = outcome {
                    release(image)
                    return done(.failure(WritableDisk.failure(error, bytes: image.bytes)))
                }
                done(.success(image))
            })
    }

    private func run(
        keeping kept: [FileDescriptor], _ body: () throws(SystemError) -> [FileDescriptor],
        then done: @escaping (DiskWorker.Outcome) -> Void
    ) {
        atWork += 1
        let finish = { [unowned self] (outcome: DiskWorker.Outcome) in
            atWork -= 1
            done(outcome)
            work()
        }
        do throws(SystemError) {
            try DiskWorker.run(keeping: kept, loop, body, then: finish)
        } catch {
            loop.afterEvents { finish(.failure(error)) }
        }
    }
}
