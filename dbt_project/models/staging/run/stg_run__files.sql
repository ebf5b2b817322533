select
    file_id,
    read_order,
    source,
    path,
    status,
    rows_read,
    landed,
    quarantined,
    duplicates,
    error,
    column_hints,
    ingested_at
from {{ source("inputs", "files") }}
