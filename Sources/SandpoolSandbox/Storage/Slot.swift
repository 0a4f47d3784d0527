import Glibc
import LinuxSystem

/// What is kept from one sandbox to the next on the same id range: lower layers already mounted with the
/// range's ids, which no sandbox can write to.
final class Slot {
    let index: UInt32
    let base: UInt32
    private let run: FileDescriptor
    private let ids: IdSpace
    private let showsIDs: Bool
    private var idMap: FileDescriptor?
    /// In the order of their last use.
    private(set) var attached: [(name: String, place: Int)] = []
    /// Numbers below `slots/INDEX` that were given up. Numbers, since a page has to hold the paths of as many layers
    /// as an image may have (`OverlayMounts`).
    private(set) var freePlaces: [Int] = []

    /// Bound on the mounts one slot keeps: more than one sandbox can have at a time, which is 128 layers and 64
    /// uploaded trees beside the host's image.
    private static let attachedLimit = 256

    init(index: UInt32, ids: IdSpace, run: FileDescriptor, showsIDs: Bool) throws(SystemError) {
        self.index = index
        self.ids = ids
        self.showsIDs = showsIDs
        self.run = run
        base = ids.base(slot: index)
        try run.makeDirectory("slots/\(index)", mode: 0o700)
    }

    /// One that an earlier program made, with what is mounted below it.
    convenience init(_ state: LauncherState.SlotState, ids: IdSpace, run: FileDescriptor, showsIDs: Bool)
        throws(SystemError)
    {
        try self.init(index: state.index, ids: ids, run: run, showsIDs: showsIDs)
        attached = state.attached.map { ($0.name, Int($0.place)) }
        freePlaces = state.freePlaces.map { Int($0) }
    }

    var state: LauncherState.SlotState {
        LauncherState.SlotState(
            index: index,
            attached: attached.map { LauncherState.SlotState.Lower(name: $0.name, place: UInt32($0.place)) },
            freePlaces: freePlaces.map { UInt32($0) })
    }

    /// The path, relative to the run directory, of `source` mounted read-only with this slot's ids.
    func lower(_ name: String, of source: FileDescriptor, _ path: String) throws(SystemError) -> String {
        if let position = attached.firstIndex(where: { $0.name == name }) {
            let known = attached.remove(at: position)
            attached.append(known)
            return self.path(known.place)
        }
        if attached.count >= Self.attachedLimit { try detach(attached[0].name) }
        let place = freePlaces.last ?? attached.count
        let point = self.path(place)
        let mount = try Mount.copy(of: source.raw, path)
        try mount.setAttributes([.readOnly, .noSetUID, .noDevices], idMap: try shownIDs())
        try run.makeDirectory(point, mode: 0o700)
        try mount.attach(to: run.raw, point)
        _ = freePlaces.popLast()
        attached.append((name, place))
        return point
    }

    /// Gives up what is mounted under a name, because its source is to be removed.
    func detach(_ name: String) throws(SystemError) {
        guard let position = attached.firstIndex(where: { $0.name == name }) else { return }
        let place = attached[position].place
        try Mount.detach(path(place))
        attached.remove(at: position)
        freePlaces.append(place)
        try systemCall("rmdir") { unlinkat(run.raw, path(place), AT_REMOVEDIR) }
    }

    private func path(_ place: Int) -> String { "slots/\(index)/\(place)" }

    /// A user namespace with the slot's ids, for mounts to show; nil where files have them on disk.
    func shownIDs() throws(SystemError) -> FileDescriptor? {
        guard showsIDs, ids == .ranges else { return nil }
        if let idMap { return idMap }
        let made = try IdMap.userNamespace(base: base)
        idMap = made
        return made
    }
}

/// The slots of one launcher. The one given back last is taken first: its mounts are warm.
final class SlotStore {
    static let limit: UInt32 = 4_096

    private(set) var all: [Slot] = []
    private(set) var free: [Slot] = []
    private let ids: IdSpace
    private let run: FileDescriptor
    private let showsIDs: Bool

    /// - Parameter showsIDs: whether mounts show each slot's ids.
    init(ids: IdSpace, run: FileDescriptor, showsIDs: Bool) {
        self.ids = ids
        self.showsIDs = showsIDs
        self.run = run
    }

    func take() throws(SystemError) -> Slot {
        if let slot = free.popLast() { return slot }
        guard all.count < Self.limit else { throw SystemError("\(Self.limit) sandboxes are alive", code: EAGAIN) }
        let slot = try Slot(index: UInt32(all.count), ids: ids, run: run, showsIDs: showsIDs)
        all.append(slot)
        return slot
    }

    func giveBack(_ slot: Slot) { free.append(slot) }

    /// Those of an earlier program, instead of none.
    func take(over states: [LauncherState.SlotState], free indices: [UInt32]) throws {
        all = try states.map { try Slot($0, ids: ids, run: run, showsIDs: showsIDs) }
        free = try indices.map { try slot($0) }
    }

    func slot(_ index: UInt32) throws(CodecError) -> Slot {
        guard let slot = all.first(where: { $0.index == index }) else { throw CodecError("there is no slot \(index)") }
        return slot
    }

    var taken: Int { all.count - free.count }
}
