{{ config(meta={"key": ["week_start", "oms_client", "event_name"]}) }}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    log_counts as (select * from {{ ref("int_log_counts_day") }}),

    counts as (
        select
            week_start,
            oms_client,
            event_name,
            cast(sum(records) as bigint) as records,
            cast(sum(null_records) as bigint) as null_records
        from log_counts
        where week_start in (select week_start from weeks) and {{ is_measured("'null_request_id_rate'") }}
        group by week_start, oms_client, event_name
    )

select
    week_start,
    oms_client,
    event_name,
    records,
    null_records,
    {{ percent("null_records", "records", "decimal(9,2)") }} as null_rate
from counts
