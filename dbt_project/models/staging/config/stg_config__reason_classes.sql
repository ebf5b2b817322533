select kind, reason, class from {{ source("config", "reason_classes") }}
