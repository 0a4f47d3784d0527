/// Statements about workers.
enum WorkerSQL {
    static let owner = "SELECT token FROM workers WHERE id = ? AND forgotten_at_ms IS NULL"
    /// A worker that was forgotten starts over: enrolled now, no drain, no quarantine. ?13: whether the token takes the
    /// place of the one before.
    static let upsert = """
        INSERT INTO workers (id, name, labels, images, offers_host_image, cpu_millis, memory_bytes, disk_bytes,
            boot_id, software_version, enrolled_at_ms, last_seen_at_ms, token, makes_disks)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?14)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name, labels = excluded.labels, images = excluded.images,
            offers_host_image = excluded.offers_host_image, cpu_millis = excluded.cpu_millis,
            memory_bytes = excluded.memory_bytes, disk_bytes = excluded.disk_bytes, boot_id = excluded.boot_id,
            software_version = excluded.software_version, makes_disks = excluded.makes_disks,
            last_seen_at_ms = max(last_seen_at_ms, excluded.last_seen_at_ms),
            enrolled_at_ms = iif(forgotten_at_ms IS NULL, enrolled_at_ms, excluded.enrolled_at_ms),
            drain_reason = iif(forgotten_at_ms IS NULL, drain_reason, NULL),
            drain_deadline_ms = iif(forgotten_at_ms IS NULL, drain_deadline_ms, NULL),
            quarantine = iif(forgotten_at_ms IS NULL, quarantine, NULL),
            token = iif(forgotten_at_ms IS NULL AND NOT ?13, coalesce(token, excluded.token), excluded.token),
            forgotten_at_ms = NULL
        """
    private static let enrolled = """
        SELECT id, name, labels, images, offers_host_image, cpu_millis, memory_bytes, disk_bytes, boot_id,
            software_version, makes_disks, drain_reason, drain_deadline_ms, quarantine, enrolled_at_ms, last_seen_at_ms
        FROM workers WHERE forgotten_at_ms IS NULL
        """
    static let byID = "\(enrolled) AND id = ?"
    static let all = "\(enrolled) ORDER BY name, id"
    static let seen = """
        UPDATE workers SET last_seen_at_ms = ?1
        WHERE id = ?2 AND forgotten_at_ms IS NULL AND last_seen_at_ms < ?1
        """
    static let setDrain = """
        UPDATE workers SET drain_reason = ?1, drain_deadline_ms = ?2, quarantine = iif(?1 IS NULL, NULL, quarantine)
        WHERE id = ?3 AND forgotten_at_ms IS NULL
        """
    static let setQuarantine = "UPDATE workers SET quarantine = ? WHERE id = ? AND forgotten_at_ms IS NULL"
    static let forget = "UPDATE workers SET forgotten_at_ms = ? WHERE id = ? AND forgotten_at_ms IS NULL"
}
