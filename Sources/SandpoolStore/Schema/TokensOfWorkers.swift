/// Version 5: the worker that a token was made for. It may enrol as that one alone, and takes the place of the token
/// that the worker enrolled with before.
let tokensOfWorkers = Migration(
    version: 5,
    sql: """
        ALTER TABLE tokens ADD COLUMN worker TEXT CHECK (worker GLOB 'wk-*' AND length(worker) = 29)
        """)
