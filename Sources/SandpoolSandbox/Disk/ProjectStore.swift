import Glibc
import LinuxSystem

/// Directories with limits for sandboxes, each made for one and removed after it. All of it is done by children: the
/// launcher itself never waits for a disk, nor for a million files to be gone.
final class ProjectStore {
    private let directory: FileDescriptor
    private let loop: EventLoop
    private var ids: ProjectIDs
    private let makers: DiskWorkers
    private let removers: DiskWorkers
    /// Called whenever nothing is being made or removed any more.
    var onRest: () -> Void = {}

    private static let makersLimit = 4
    /// Few: what they do can wait, and the disk is everybody's.
    private static let removersLimit = 2
    /// Ids that turn out to be somebody else's, before that is taken for a fault.
    private static let tries = 64
    private static let removalRetryMs: UInt64 = 60_000

    init(_ data: DataDirectory, _ loop: EventLoop) {
        directory = data.projects
        self.loop = loop
        ids = ProjectIDs(dataDirectory: data.path)
        makers = DiskWorkers(loop, limit: Self.makersLimit)
        removers = DiskWorkers(loop, limit: Self.removersLimit)
    }

    /// Whether no child is at work that the end of the launcher would cut short.
    var isAtRest: Bool { makers.isAtRest && removers.isAtRest }

    /// Why limits of projects cannot be relied on here; nil when they can.
    func refusal(_ workshop: MountWorkshop) -> String? {
        for _ in 0..<Self.tries {
            guard let id = ids.take() else { break }
            defer { ids.giveBack(id) }
            do throws(SystemError) {
                return try ProjectTrial.refusal(id, in: directory, workshop)
            } catch  where error.code == EBUSY {
                ids.leap(from: id)
            } catch {
                return "\(error)"
            }
        }
        return "its project ids are somebody else's"
    }

    func take(bytes: UInt64, _ done: @escaping (Result<ProjectDirectory, SystemError>) -> Void) {
        make(ProjectDirectory.Limit(bytes: bytes), tries: Self.tries, done)
    }

    private func make(
        _ limit: ProjectDirectory.Limit, tries: Int,
        _ done: @escaping (Result<ProjectDirectory, SystemError>) -> Void
    ) {
        guard tries > 0, let id = ids.take() else { return done(.failure(SystemError("project ids", code: EBUSY))) }
        let store = directory
        makers.run(
            keeping: [store],
            { () throws(SystemError) in
                let mount = try ProjectDirectory.make(id, limit, in: store)
                // After that, so that of two launchers that promise at the same moment one sees both.
                try ProjectRoom.check(in: store)
                return [mount.descriptor]
            },
            then: { [unowned self] outcome in
                defer { settle() }
                if case .success(let made) = outcome, let mount = made.first {
                    return done(.success(ProjectDirectory(id: id, limit: limit, mount: Mount(descriptor: mount))))
                }
                var error = SystemError("project", code: EBADMSG)
                if case .failure(let why) = outcome { error = why }
                if error.code == EBUSY {
                    ids.leap(from: id)
                    return make(limit, tries: tries - 1, done)
                }
                // The child may have made it, and not have come to say so.
                remove(["\(id)"])
                done(.failure(error))
            })
    }

    /// For one that nobody uses any more.
    func release(_ project: ProjectDirectory) {
        remove(["\(project.id)"])
    }

    /// Removes what an earlier launcher left; without its limits it is nobody's promise.
    ///
    /// - Parameter used: those of sandboxes that are there already.
    func sweep(except used: Set<UInt32>) throws(SystemError) {
        // Others than its own ids are somebody else's, such as the `lost+found` of a file system that is mounted here.
        let found = try DirectoryListing.names(in: directory).compactMap { name in
            UInt32(name).flatMap { "\($0)" == name ? $0 : nil }
        }
        for id in found { ids.keepFrom(id) }
        let left = found.filter { !used.contains($0) }
        if !left.isEmpty { remove(left.map { "\($0)" }) }
    }

    private func remove(_ names: [String]) {
        let store = directory
        removers.run(
            keeping: [store],
            { () throws(SystemError) in
                var failure: SystemError?
                for name in names {
                    do throws(SystemError) { try ProjectDirectory.remove(name, in: store) } catch { failure = error }
                }
                if let failure { throw failure }
                return []
            },
            then: { [unowned self] outcome in
                if case .failure(let error) = outcome {
                    // These ids stay taken until it has worked.
                    Diagnostics.write("remove projects/\(names.joined(separator: " ")): \(error)")
                    _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.removalRetryMs) { [unowned self] in
                        remove(names)
                    }
                } else {
                    for name in names { UInt32(name).map { ids.giveBack($0) } }
                }
                settle()
            })
    }

    private func settle() {
        if isAtRest { onRest() }
    }
}
