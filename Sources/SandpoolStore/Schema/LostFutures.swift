/// Version 8: whether a database is a backup that nobody has opened yet, and which databases this one was before it was
/// restored from a backup. What they became after that backup is their lost future.
let lostFutures = Migration(
    version: 8,
    sql: """
        ALTER TABLE coordinator ADD COLUMN backed_up_at_ms INTEGER;

        CREATE TABLE lost_futures (
            database_id TEXT PRIMARY KEY CHECK (length(database_id) = 26),
            backed_up_at_ms INTEGER NOT NULL,
            restored_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """)
