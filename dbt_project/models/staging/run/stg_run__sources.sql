select source, is_present from {{ source("inputs", "sources") }}
