/// Version 7: finished jobs in the order of their ends, and which blobs a job uses: so that old jobs are found without
/// going through all of them, and what only they used without reading every spec.
let endsOfJobs = Migration(
    version: 7,
    sql: """
        CREATE INDEX jobs_by_end ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

        CREATE TABLE blob_uses (
            blob TEXT NOT NULL CHECK (length(blob) BETWEEN 1 AND 128),
            job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
            PRIMARY KEY (blob, job)
        ) STRICT, WITHOUT ROWID;

        CREATE INDEX blob_uses_by_job ON blob_uses (job);

        INSERT OR IGNORE INTO blob_uses (blob, job)
        SELECT json_extract(mount.value, '$.blob'), job_specs.job
        FROM job_specs, json_each(job_specs.spec, '$.mounts') AS mount;

        INSERT OR IGNORE INTO blob_uses (blob, job)
        SELECT downloads, job FROM attempts WHERE downloads IS NOT NULL
        """)
