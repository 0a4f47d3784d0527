import LinuxSystem

/// Gives sandboxes disks in the better of two ways: directories with limits of their own where the file system
/// of the launcher's data enforces such limits, else images over loop devices.
final class Disks {
    private let images: DiskPool
    private let projects: ProjectStore
    /// Why there are no directories with limits. Nil: there are.
    let imagesBecause: String?

    /// - Parameter used: the projects of sandboxes that are there already.
    init(
        _ data: DataDirectory, _ loop: EventLoop, _ rights: HostRights, _ workshop: MountWorkshop,
        used: Set<UInt32> = []
    ) throws(SystemError) {
        images = DiskPool(data.disks, loop)
        projects = ProjectStore(data, loop)
        guard rights.makesDisks else {
            imagesBecause = "only root has them"
            return
        }
        try projects.sweep(except: used)
        imagesBecause = projects.refusal(workshop)
        if let imagesBecause, ProjectQuota(of: data.projects).isEnforced {
            Diagnostics.write("project quotas are not used though there are some: \(imagesBecause)")
        }
    }

    /// Calls `done` with a disk on which just so many bytes can be written, or why there is none.
    func take(bytes: UInt64, _ done: @escaping (Result<WritableDisk, StageError>) -> Void) {
        if imagesBecause == nil {
            projects.take(bytes: bytes) { outcome in
                done(outcome.map { .project($0) }.mapError { WritableDisk.failure($0, bytes: bytes) })
            }
        } else {
            images.take(bytes: bytes) { done($0.map { .image($0) }) }
        }
    }

    /// For a disk that nobody uses any more.
    func release(_ disk: WritableDisk) {
        switch disk {
        case .image(let image): images.release(image)
        case .project(let project): projects.release(project)
        }
    }

    /// Whether no child makes or removes one.
    var isQuiet: Bool { images.isAtRest && projects.isAtRest }

    /// Whether nothing is being removed that the end of the launcher would cut short.
    var isAtRest: Bool { projects.isAtRest }

    /// Calls `action` whenever that becomes so.
    func onRest(_ action: @escaping () -> Void) { projects.onRest = action }
}
