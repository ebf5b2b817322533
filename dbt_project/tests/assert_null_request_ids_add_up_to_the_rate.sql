{{ config(meta={"dagster": {"ref": {"name": "fct_null_request_id_week"}}}) }}
{# The records of all clients and events are the population of null_request_id_rate. #}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    records as (
        select week_start, sum(null_records) as null_records, sum(records) as records
        from {{ ref("fct_null_request_id_week") }}
        where week_start in (select week_start from weeks)
        group by week_start
    ),

    rates as (
        select week_start, numerator, denominator
        from {{ ref("int_metric_week") }}
        where metric_id = 'null_request_id_rate' and dimension = 'overall'
    )

select rates.week_start, rates.numerator, rates.denominator, records.null_records, records.records
from rates
left join records on rates.week_start = records.week_start
where rates.numerator <> coalesce(records.null_records, 0) or rates.denominator <> coalesce(records.records, 0)
