select metric_id, family, setup_name, seller_name, export_name, unit, minimum, maximum, direction, formula, description
from {{ source("config", "metric_catalog") }}
