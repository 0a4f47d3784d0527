PRAGMA application_id = 1397772108;
PRAGMA user_version = 9;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE coordinator (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    database_id TEXT NOT NULL CHECK (length(database_id) = 26),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    created_at_ms INTEGER NOT NULL
, backed_up_at_ms INTEGER) STRICT;
INSERT INTO coordinator VALUES(1,'01mcc5rm00x7a35b0fd2035k4e',1,1800000000000,NULL);
CREATE TABLE workers (
    id TEXT PRIMARY KEY CHECK (id GLOB 'wk-*' AND length(id) = 29),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
    labels TEXT NOT NULL CHECK (json_type(labels) = 'object'),
    images TEXT NOT NULL CHECK (json_type(images) = 'array'),
    offers_host_image INTEGER NOT NULL CHECK (offers_host_image IN (0, 1)),
    cpu_millis INTEGER NOT NULL CHECK (cpu_millis >= 0),
    memory_bytes INTEGER NOT NULL CHECK (memory_bytes >= 0),
    disk_bytes INTEGER NOT NULL CHECK (disk_bytes >= 0),
    boot_id TEXT NOT NULL CHECK (length(boot_id) BETWEEN 1 AND 64),
    software_version TEXT NOT NULL CHECK (length(software_version) <= 64),
    drain_reason TEXT CHECK (length(drain_reason) BETWEEN 1 AND 1024),
    drain_deadline_ms INTEGER,
    enrolled_at_ms INTEGER NOT NULL,
    last_seen_at_ms INTEGER NOT NULL,
    forgotten_at_ms INTEGER, token TEXT CHECK (token GLOB 'tk-*' AND length(token) = 29), makes_disks INTEGER NOT NULL DEFAULT 1 CHECK (makes_disks IN (0, 1)), quarantine TEXT CHECK (json_type(quarantine) = 'object'),
    CONSTRAINT deadline_only_while_draining
        CHECK (drain_deadline_ms IS NULL OR drain_reason IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO workers VALUES('wk-01mcc5rm00hv0wmgjnmnhffbx3','one','{"zone":"a"}','["debian:12"]',1,2000,2147483648,2147483648,'boot-1','0.1.0',NULL,NULL,1800000000000,1800000000000,NULL,'tk-01mcc5rm00k4dczs99fvdwytw7',1,NULL);
CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'sb-*' AND length(id) = 29),
    name TEXT CHECK (length(name) > 0),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running',
        'succeeded', 'failed', 'timed_out', 'cancelled', 'errored')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN -1000 AND 1000),
    cpu_millis INTEGER NOT NULL CHECK (cpu_millis >= 0),
    memory_bytes INTEGER NOT NULL CHECK (memory_bytes >= 0),
    disk_bytes INTEGER NOT NULL CHECK (disk_bytes >= 0),
    require TEXT NOT NULL CHECK (json_type(require) = 'object'),
    image TEXT,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL CHECK (length(fingerprint) <= 128),
    epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    not_started_count INTEGER NOT NULL DEFAULT 0 CHECK (not_started_count >= 0),
    lost_running_count INTEGER NOT NULL DEFAULT 0 CHECK (lost_running_count >= 0),
    workers_lost_count INTEGER NOT NULL DEFAULT 0 CHECK (workers_lost_count >= 0),
    user_failure_count INTEGER NOT NULL DEFAULT 0 CHECK (user_failure_count >= 0),
    created_at_ms INTEGER NOT NULL,
    queue_deadline_ms INTEGER,
    not_before_ms INTEGER,
    cancel_requested_at_ms INTEGER,
    started_at_ms INTEGER,
    finished_at_ms INTEGER,
    cause TEXT CHECK (cause IN ('exited', 'signaled', 'oom', 'disk_limit', 'output_limit', 'timeout',
        'idle_timeout', 'queue_timeout', 'cancelled', 'build_failed', 'setup_failed', 'fetch_failed',
        'worker_lost', 'preempted')),
    fault TEXT CHECK (fault IN ('user', 'infrastructure')),
    exit_code INTEGER CHECK (exit_code BETWEEN 0 AND 255),
    signal INTEGER CHECK (signal BETWEEN 1 AND 64),
    message TEXT, demand TEXT GENERATED ALWAYS AS (
    cpu_millis || ' ' || memory_bytes || ' ' || disk_bytes || ' ' || require || ' ' || ifnull(image, '')
) VIRTUAL,
    CONSTRAINT terminal_is_finished CHECK (
        (state IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'errored'))
            = (finished_at_ms IS NOT NULL)),
    CONSTRAINT finished_has_cause CHECK ((finished_at_ms IS NOT NULL) = (cause IS NOT NULL)),
    CONSTRAINT cause_has_fault CHECK ((cause IS NULL) = (fault IS NULL)),
    CONSTRAINT exited_has_code CHECK (cause IS NOT 'exited' OR exit_code IS NOT NULL),
    CONSTRAINT code_or_signal CHECK (exit_code IS NULL OR signal IS NULL),
    CONSTRAINT succeeded_is_exit_0 CHECK ((state = 'succeeded') = (cause IS 'exited' AND exit_code IS 0)),
    CONSTRAINT held_has_epoch CHECK (state NOT IN ('starting', 'running') OR epoch > 0),
    CONSTRAINT running_has_started CHECK (state <> 'running' OR started_at_ms IS NOT NULL),
    CONSTRAINT only_queued_is_delayed CHECK (not_before_ms IS NULL OR state = 'queued'),
    CONSTRAINT queued_is_wanted CHECK (state <> 'queued' OR cancel_requested_at_ms IS NULL)
) STRICT;
INSERT INTO jobs VALUES(1,'sb-01mcc5rm00swqfbj45hn155smz','hello','queued',0,1000,1073741824,536870912,'{}',NULL,NULL,'f',0,0,0,0,0,1800000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO jobs VALUES(2,'sb-01mcc5rm00fb8b37hxsyr1cq4z','hello','running',0,1000,1073741824,536870912,'{}',NULL,NULL,'f',1,0,0,0,0,1800000000000,NULL,NULL,NULL,1800000000000,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO jobs VALUES(3,'sb-01mcc5rm00d30d18kry1vb2e54','hello','succeeded',0,1000,1073741824,536870912,'{}',NULL,NULL,'f',1,0,0,0,0,1800000000000,NULL,NULL,NULL,1800000000000,1800000000000,'exited','user',0,NULL,NULL);
CREATE TABLE job_specs (
    job INTEGER PRIMARY KEY REFERENCES jobs (sequence) ON DELETE CASCADE,
    spec TEXT NOT NULL CHECK (json_type(spec) = 'object')
) STRICT;
INSERT INTO job_specs VALUES(1,'{"command":["echo","hello"],"name":"hello","tags":{"os":"linux"}}');
INSERT INTO job_specs VALUES(2,'{"command":["echo","hello"],"name":"hello","tags":{"os":"linux"}}');
INSERT INTO job_specs VALUES(3,'{"command":["echo","hello"],"name":"hello","tags":{"os":"linux"}}');
CREATE TABLE job_tags (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
    PRIMARY KEY (key, value, job)
) STRICT, WITHOUT ROWID;
INSERT INTO job_tags VALUES('os','linux',1);
INSERT INTO job_tags VALUES('os','linux',2);
INSERT INTO job_tags VALUES('os','linux',3);
CREATE TABLE attempts (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'at-*' AND length(id) = 29),
    job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    worker TEXT NOT NULL REFERENCES workers (id),
    state TEXT NOT NULL CHECK (state IN ('leased', 'preparing', 'building', 'running',
        'finished', 'lost', 'superseded')),
    created_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    finished_at_ms INTEGER,
    unreachable_since_ms INTEGER,
    cause TEXT CHECK (cause IN ('exited', 'signaled', 'oom', 'disk_limit', 'output_limit', 'timeout',
        'idle_timeout', 'queue_timeout', 'cancelled', 'build_failed', 'setup_failed', 'fetch_failed',
        'worker_lost', 'preempted')),
    fault TEXT CHECK (fault IN ('user', 'infrastructure')),
    exit_code INTEGER CHECK (exit_code BETWEEN 0 AND 255),
    signal INTEGER CHECK (signal BETWEEN 1 AND 64),
    message TEXT,
    command_started INTEGER CHECK (command_started IN (0, 1)),
    retryable INTEGER CHECK (retryable IN (0, 1)),
    evidence TEXT CHECK (json_type(evidence) = 'object'),
    downloads TEXT CHECK (length(downloads) BETWEEN 1 AND 128), boot_id TEXT CHECK (length(boot_id) BETWEEN 1 AND 64),
    UNIQUE (job, epoch),
    CONSTRAINT terminal_is_finished CHECK (
        (state IN ('finished', 'lost', 'superseded')) = (finished_at_ms IS NOT NULL)),
    CONSTRAINT only_finished_has_cause CHECK (cause IS NULL OR finished_at_ms IS NOT NULL),
    CONSTRAINT reported_has_cause CHECK (state <> 'finished' OR cause IS NOT NULL),
    CONSTRAINT outcome_is_whole CHECK (
        (cause IS NULL) = (fault IS NULL) AND (cause IS NULL) = (command_started IS NULL)
            AND (cause IS NULL) = (retryable IS NULL)),
    CONSTRAINT exited_has_code CHECK (cause IS NOT 'exited' OR exit_code IS NOT NULL),
    CONSTRAINT code_or_signal CHECK (exit_code IS NULL OR signal IS NULL),
    CONSTRAINT only_reported_has_code CHECK (
        state = 'finished' OR (exit_code IS NULL AND signal IS NULL AND evidence IS NULL)),
    CONSTRAINT running_has_started CHECK (state <> 'running' OR started_at_ms IS NOT NULL)
) STRICT;
INSERT INTO attempts VALUES(1,'at-01mcc5rm00k59v8ew3rj4tcabm',2,1,'wk-01mcc5rm00hv0wmgjnmnhffbx3','running',1800000000000,1800000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'boot-1');
INSERT INTO attempts VALUES(2,'at-01mcc5rm00tkf44hkyr651g8g1',3,1,'wk-01mcc5rm00hv0wmgjnmnhffbx3','finished',1800000000000,1800000000000,1800000000000,NULL,'exited','user',0,NULL,NULL,1,1,'{"outputTruncated":false,"reapedBy":"init","stagesMs":{"setup":5},"stalledMs":0,"stderrBytes":0,"stdoutBytes":0,"wallMs":12}',NULL,'boot-1');
CREATE TABLE late_results (
    attempt INTEGER PRIMARY KEY REFERENCES attempts (sequence) ON DELETE CASCADE,
    received_at_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (json_type(outcome) = 'object'),
    evidence TEXT NOT NULL CHECK (json_type(evidence) = 'object')
) STRICT;
CREATE TABLE output_tails (
    attempt INTEGER NOT NULL REFERENCES attempts (sequence) ON DELETE CASCADE,
    stream TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
    offset INTEGER NOT NULL CHECK (offset >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 32768),
    PRIMARY KEY (attempt, stream)
) STRICT, WITHOUT ROWID;
INSERT INTO output_tails VALUES(2,'stdout',0,X'68656c6c6f0a');
CREATE TABLE tokens (
    id TEXT PRIMARY KEY CHECK (id GLOB 'tk-*' AND length(id) = 29),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
    role TEXT NOT NULL CHECK (role IN ('admin', 'submit', 'read', 'worker')),
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) BETWEEN 32 AND 128),
    created_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
, worker TEXT CHECK (worker GLOB 'wk-*' AND length(worker) = 29)) STRICT, WITHOUT ROWID;
INSERT INTO tokens VALUES('tk-01mcc5rm00k4dczs99fvdwytw7','admin','admin','abababababababababababababababababababababababababababababababab',1800000000000,NULL,NULL);
CREATE TABLE blob_uses (
    blob TEXT NOT NULL CHECK (length(blob) BETWEEN 1 AND 128),
    job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
    PRIMARY KEY (blob, job)
) STRICT, WITHOUT ROWID;
CREATE TABLE lost_futures (
    database_id TEXT PRIMARY KEY CHECK (length(database_id) = 26),
    backed_up_at_ms INTEGER NOT NULL,
    restored_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX jobs_by_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_by_name ON jobs (name) WHERE name IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_claimable ON jobs (priority DESC) WHERE state = 'queued' AND not_before_ms IS NULL;
CREATE INDEX jobs_delayed ON jobs (not_before_ms) WHERE state = 'queued' AND not_before_ms IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (queue_deadline_ms)
    WHERE state = 'queued' AND queue_deadline_ms IS NOT NULL;
CREATE INDEX job_tags_by_job ON job_tags (job);
CREATE UNIQUE INDEX attempts_live_by_job ON attempts (job) WHERE finished_at_ms IS NULL;
CREATE INDEX attempts_live_by_worker ON attempts (worker) WHERE finished_at_ms IS NULL;
CREATE INDEX jobs_by_demand ON jobs (demand, priority DESC) WHERE state = 'queued' AND not_before_ms IS NULL;
CREATE INDEX jobs_by_end ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
CREATE INDEX blob_uses_by_job ON blob_uses (job);
COMMIT;
