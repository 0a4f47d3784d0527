/// Version 9: why a worker that cannot set sandboxes up gets no jobs, and until when; and in which boot of its worker's
/// host an attempt was leased. What is live was leased in the boot that is known, as far as anybody knows.
let troubleOfWorkers = Migration(
    version: 9,
    sql: """
        ALTER TABLE workers ADD COLUMN quarantine TEXT CHECK (json_type(quarantine) = 'object');

        ALTER TABLE attempts ADD COLUMN boot_id TEXT CHECK (length(boot_id) BETWEEN 1 AND 64);

        UPDATE attempts SET boot_id = (SELECT workers.boot_id FROM workers WHERE workers.id = attempts.worker)
        WHERE finished_at_ms IS NULL
        """)
