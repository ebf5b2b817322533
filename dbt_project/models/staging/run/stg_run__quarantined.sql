select source, file_id, reason, event_at, ingested_at, has_landed_since from {{ source("inputs", "quarantined") }}
