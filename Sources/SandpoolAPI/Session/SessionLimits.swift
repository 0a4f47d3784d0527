/// Bounds on what either end of a worker session takes from the other. An honest end stays far inside them; what is
/// beyond them ends the session before anything is computed or kept of it.
public enum SessionLimits {
    /// Attempts that a worker may hold, and the most elements of any list in a message.
    public static let attempts = 16_384
    public static let labels = 64
    public static let images = 4_096
    /// Names of probes that got through.
    public static let probes = 1_024
    /// Stages in one result's evidence.
    public static let stages = 64

    /// Bytes of a worker's name.
    public static let nameBytes = 256
    /// Bytes of a boot id and of a version's name.
    public static let idBytes = 64
    /// Bytes of an image's name and of a word in the evidence.
    public static let wordBytes = 512
    /// Bytes of a message for people.
    public static let messageBytes = 16 << 10

    /// Thousandths of a processor, or bytes, that a worker may offer: adding up all its attempts cannot overflow.
    public static let capacity: Int64 = 1 << 48
    /// Bytes of a stream, so that adding the length of a frame to an offset cannot overflow.
    public static let offset = Int64.max - Int64(Frame.payloadLimit)
    /// Numbers of signals (signal(7)).
    public static let signals = 1...64
}
