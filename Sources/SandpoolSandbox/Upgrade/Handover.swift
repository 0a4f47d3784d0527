import LinuxSystem

/// What the program before in this process has left to this one.
struct Handover {
    let state: LauncherState
    let inherited: InheritedDescriptors
    /// Numbers of what stays open.
    let descriptors: [Int32]

    /// - Parameter number: the descriptor of the state.
    init(_ number: Int32) throws {
        var named: [Int32] = []
        state = try LauncherState.read(FileDescriptor(owning: number), &named)
        descriptors = named
        inherited = try InheritedDescriptors(named)
    }

    func listener() throws(SystemError) -> SeqPacketSocket {
        SeqPacketSocket(try inherited.take(state.service.listener))
    }

    /// Goes on with the worker and says so.
    func finish(_ service: LauncherService) throws {
        try service.takeOver(state.service, inherited)
        Diagnostics.write("upgrade \(state.upgrades): took over; sandboxes: \(state.sandboxes.count)")
    }
}
