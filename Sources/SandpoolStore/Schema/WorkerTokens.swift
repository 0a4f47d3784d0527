/// Version 2: which token a worker enrolled with. A worker from before is bound by the next one that it connects with.
let workerTokens = Migration(
    version: 2,
    sql: """
        ALTER TABLE workers ADD COLUMN token TEXT CHECK (token GLOB 'tk-*' AND length(token) = 29)
        """)
