select incident_id, oms_client, starts_at, ends_at, title, decided_by, decided_on
from {{ source("config", "incidents") }}
