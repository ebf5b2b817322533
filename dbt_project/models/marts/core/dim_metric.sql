{{ config(materialized="table") }}
{# One row per metric of any family: its names, bounds and texts. #}
select
    metric_id,
    family,
    setup_name,
    seller_name,
    export_name,
    unit,
    cast(minimum as decimal(18, 6)) as minimum,
    cast(maximum as decimal(18, 6)) as maximum,
    direction,
    formula,
    description
from {{ ref("stg_config__metric_catalog") }}
