import SandpoolModel

/// Columns for people: as wide as their widest cell, the last one free.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    /// Adds a row. What a cell holds comes from outside and is made harmless.
    mutating func add(_ cells: String?...) {
        rows.append(cells.map { $0.map { TerminalText.harmless($0, limit: 200) } ?? "-" })
    }

    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            cells.enumerated().map { column, cell in
                column == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
