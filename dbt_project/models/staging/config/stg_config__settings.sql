select key, value from {{ source("config", "settings") }}
