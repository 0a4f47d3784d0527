/// All probes, in the order in which they run.
public enum Battery {
    public static let all: [Probe] =
        MountProbes.all + NamespaceProbes.all + DeviceProbes.all + KernelFileProbes.all + KernelCallProbes.all
        + MachineProbes.all + SocketProbes.all + NetworkProbes.all + PostureProbes.all + FirstProcessProbes.all
        + ProcessProbes.all + ProcessLimitProbes.all + MemoryProbes.all + DiskProbes.all

    public static let quick = all.filter(\.isQuick)

    public static func probe(named name: String) -> Probe? { all.first { $0.name == name } }
}
