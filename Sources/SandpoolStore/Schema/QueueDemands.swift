/// Version 3: what each queued job asks of its worker, as one word, and the queue once more in the order of these
/// words: so that jobs of a kind that fits nowhere now are passed over together, however many they are.
let queueDemands = Migration(
    version: 3,
    sql: """
        ALTER TABLE jobs ADD COLUMN demand TEXT GENERATED ALWAYS AS (
            cpu_millis || ' ' || memory_bytes || ' ' || disk_bytes || ' ' || require || ' ' || ifnull(image, '')
        ) VIRTUAL;

        CREATE INDEX jobs_by_demand ON jobs (demand, priority DESC) WHERE state = 'queued' AND not_before_ms IS NULL;
        """)
