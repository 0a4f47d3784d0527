/// Version 9: why a worker that cannot set sandboxes up gets no jobs, and until when.
let troubleOfWorkers = Migration(
    version: 9,
    sql: """
        ALTER TABLE workers ADD COLUMN quarantine TEXT CHECK (json_type(quarantine) = 'object')
        """)
