/// Version 4: how much of a stream is durable is known from its segment files themselves.
let noOutputLengths = Migration(version: 4, sql: "DROP TABLE output_lengths")
