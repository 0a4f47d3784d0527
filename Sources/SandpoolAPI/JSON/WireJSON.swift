import NIOCore
import SandpoolModel

// FoundationEssentials leaves out ICU, whose loading would be most of the CLI's start-up time.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// JSON as it goes over the wire: keys sorted, so that the same value is always the same bytes, and slashes
/// as they are.
public enum WireJSON {
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    private static let decoder = JSONDecoder()

    /// - Throws: `EncodingError` for what JSON cannot hold, such as an infinite number.
    public static func encode(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try encoder.encode(value))
    }

    /// The value as one line of text.
    public static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: `APIError` in one line that names the key: status 400 for what is not JSON or not of the right
    ///   type, 422 for a spec that cannot be.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: ByteBuffer
    ) throws(APIError) -> Value {
        try decode(type, from: Data(bytes.readableBytesView))
    }

    /// As `decode(_:from:)`, from bytes of any kind.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Sequence<UInt8>
    ) throws(APIError) -> Value {
        do {
            return try decoder.decode(type, from: bytes as? Data ?? Data(bytes))
        } catch let problem as SpecProblem {
            throw APIError(problem)
        } catch let error as DecodingError {
            throw APIError(error)
        } catch {
            throw APIError(status: 400, code: "invalid_json", message: "the JSON cannot be read: \(error)")
        }
    }
}
