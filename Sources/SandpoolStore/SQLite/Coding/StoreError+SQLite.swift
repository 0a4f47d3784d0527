import GRDB

extension StoreError {
    /// The store's word for an error of the database; other errors pass unchanged.
    ///
    /// Related SQLite documentation: <https://www.sqlite.org/rescode.html>
    static func from(_ error: any Error) -> any Error {
        if let error = error as? RowDecodingError { return StoreError.corrupt("\(error)") }
        guard let error = error as? DatabaseError else { return error }
        let detail = "\(error.message ?? "no message") (\(error.extendedResultCode))"
        return switch error.resultCode {
        case .SQLITE_FULL: StoreError.diskFull(detail)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: StoreError.corrupt(detail)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_BUSY, .SQLITE_LOCKED:
            StoreError.cannotOpen(detail)
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH, .SQLITE_RANGE: StoreError.invalid(detail)
        default: StoreError.io(detail)
        }
    }
}
