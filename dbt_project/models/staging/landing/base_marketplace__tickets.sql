select * from {{ source("landing", "tickets") }}
