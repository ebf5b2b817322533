select oms_client, tested_hourly_calls from {{ source("config", "oms_capacity") }}
