select kpi_id, period_days from {{ source("config", "kpi_periods") }}
