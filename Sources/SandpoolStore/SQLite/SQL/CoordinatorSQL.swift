/// Statements about the database itself.
enum CoordinatorSQL {
    static let create = """
        INSERT INTO coordinator (id, database_id, generation, created_at_ms) VALUES (1, ?, 0, ?)
        ON CONFLICT (id) DO NOTHING
        """
    static let nextGeneration = """
        UPDATE coordinator SET generation = generation + 1 WHERE id = 1 RETURNING database_id, generation
        """
}
