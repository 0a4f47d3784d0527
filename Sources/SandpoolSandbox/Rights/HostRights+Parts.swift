import LinuxSystem

/// The launcher's parts that differ with its rights.
extension HostRights {
    func cgroups(named name: String, _ data: DataDirectory) throws -> CgroupTree {
        if let unlimitedBecause { return CgroupTree(absentBecause: unlimitedBecause) }
        return try CgroupTree(name: name, data: data)
    }

    /// Of root, which the program before in this process was too.
    func network(
        takingOver state: LauncherState.NetworkState?, _ inherited: InheritedDescriptors, _ data: DataDirectory,
        _ loop: EventLoop
    ) throws -> any NetworkProvider {
        var configuration = SandboxNetwork.Configuration()
        configuration.stateDirectory = data.directory
        return try SandboxNetwork(takingOver: state, inherited, configuration: configuration, loop: loop)
    }

    func network(_ data: DataDirectory, _ loop: EventLoop) throws -> any NetworkProvider {
        switch outside {
        case .host:
            var configuration = SandboxNetwork.Configuration()
            configuration.stateDirectory = data.directory
            return try SandboxNetwork(configuration: configuration, loop: loop)
        case .side(let side): return try UserNetwork(side, ids, loop)
        case .none(let reason): return try LoopbackNetwork(reason: reason, ids)
        }
    }
}
