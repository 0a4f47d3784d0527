/// One of a command's two output streams.
public enum OutputStream: String, Codable, Sendable, CaseIterable {
    case stdout
    case stderr
}
