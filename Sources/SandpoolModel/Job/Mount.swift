/// A tree that the client uploaded, laid over the image at `path`. Read-only below; what the sandbox writes
/// goes to its own layer and is discarded with it.
public struct Mount: Hashable, Sendable, Codable {
    /// `sha256:…` of the uploaded tar archive.
    public var blob: String
    /// Absolute path inside the sandbox.
    public var path: String
    /// Whether the archive holds a single file that `path` names, or a directory whose content goes there.
    public var isFile: Bool

    enum CodingKeys: String, CodingKey, CaseIterable { case blob, path, isFile }

    public init(blob: String, path: String, isFile: Bool) {
        self.blob = blob
        self.path = path
        self.isFile = isFile
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init(
            blob: try values.decode(String.self, forKey: .blob), path: try values.decode(String.self, forKey: .path),
            isFile: try values.decodeIfPresent(Bool.self, forKey: .isFile) ?? false)
    }
}
