import SandpoolModel

extension APIError {
    /// A problem with a spec: 422.
    public init(_ problem: SpecProblem) {
        self.init(
            status: 422, code: problem.code.rawValue, message: "\(problem.key): \(problem.message)",
            hint: problem.hint)
    }

    /// JSON that is malformed or does not have the type that it should: 400.
    init(_ error: DecodingError) {
        let message =
            switch error {
            case .typeMismatch(let type, let context):
                "\(Self.place(context)): not \(Self.name(of: type))"
            case .valueNotFound(_, let context):
                "\(Self.place(context)): null where a value is needed"
            case .keyNotFound(let key, let context):
                "\(keyPath(context.codingPath + [key])): is missing"
            case .dataCorrupted(let context) where context.codingPath.isEmpty:
                "the body is not valid JSON"
            case .dataCorrupted(let context):
                "\(Self.place(context)): \(TerminalText.harmless(context.debugDescription, limit: 256))"
            @unknown default:
                "the JSON cannot be read"
            }
        self.init(status: 400, code: "invalid_json", message: TerminalText.harmless(message, limit: 512))
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let path = keyPath(context.codingPath)
        return path.isEmpty ? "the body" : path
    }

    /// A Swift type as JSON calls it.
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type, is any BinaryFloatingPoint.Type: "a number that fits"
        case is [Any].Type: "an array"
        default: "an object"
        }
    }
}
