import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel

/// The JSON file of `coordinator start --config FILE`. Every key is optional and an unknown one is an error,
/// because a misspelt limit would otherwise be no limit.
public struct ConfigurationFile: Decodable, Sendable {
    public var listen: String?
    public var insecureHTTP: Bool?
    public var blobBytes: Int64?
    public var reserveBytes: Int64?
    public var retention: Retention?
    public var pool = PoolConfiguration()

    /// Largest file that is read.
    static let byteLimit = 1 << 20

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case listen, insecureHTTP, blobBytes, reserveBytes, retention, defaults, limits
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        listen = try values.decodeIfPresent(String.self, forKey: .listen)
        insecureHTTP = try values.decodeIfPresent(Bool.self, forKey: .insecureHTTP)
        blobBytes = try values.decodeIfPresent(Int64.self, forKey: .blobBytes)
        reserveBytes = try values.decodeIfPresent(Int64.self, forKey: .reserveBytes)
        retention = try values.decodeIfPresent(Retention.self, forKey: .retention)
        pool.defaults = try values.decodeIfPresent(PoolDefaults.self, forKey: .defaults) ?? pool.defaults
        pool.limits = try values.decodeIfPresent(PoolLimits.self, forKey: .limits) ?? pool.limits
    }

    /// Reads and checks a file. Errors name the file and the key.
    public static func read(path: String) throws(CoordinatorError) -> ConfigurationFile {
        let bytes: ByteBuffer
        do throws(FileError) {
            bytes = try PosixFile(path: path, flags: O_RDONLY).read(at: 0, limit: byteLimit + 1)
        } catch {
            throw CoordinatorError("\(error); check --config")
        }
        guard bytes.readableBytes <= byteLimit else {
            throw CoordinatorError("\(path): larger than \(byteLimit) bytes; is this the configuration?")
        }
        do throws(APIError) {
            let file = try WireJSON.decode(ConfigurationFile.self, from: bytes)
            if let size = file.blobBytes, size <= 0 {
                throw APIError(status: 422, code: "invalid", message: "blobBytes: must be above 0")
            }
            let reserves = CoordinatorConfiguration.reserves
            if let size = file.reserveBytes, !reserves.contains(size) {
                throw APIError(
                    status: 422, code: "invalid",
                    message: "reserveBytes: must be from \(reserves.lowerBound) to \(reserves.upperBound)")
            }
            if let problem = file.retention?.problem {
                throw APIError(status: 422, code: "invalid", message: problem)
            }
            return file
        } catch {
            throw CoordinatorError("\(path): \(error.message)" + (error.hint.map { "; \($0)" } ?? ""))
        }
    }

    /// Lays what the file says over a configuration.
    public func apply(to configuration: inout CoordinatorConfiguration) throws(CoordinatorError) {
        if let listen { configuration.listen = try ListenAddress(hostPort: listen) }
        if let insecureHTTP { configuration.insecureHTTP = insecureHTTP }
        if let blobBytes { configuration.blobBytes = blobBytes }
        if let reserveBytes { configuration.reserveBytes = reserveBytes }
        if let retention { configuration.retention = retention }
        configuration.pool = pool
    }
}
