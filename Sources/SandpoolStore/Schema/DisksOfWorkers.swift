/// Version 6: whether a worker's host can make a disk that does not fit a job's memory. What was enrolled before did
/// not say so, and gets such jobs as it did.
let disksOfWorkers = Migration(
    version: 6,
    sql: """
        ALTER TABLE workers ADD COLUMN makes_disks INTEGER NOT NULL DEFAULT 1 CHECK (makes_disks IN (0, 1))
        """)
