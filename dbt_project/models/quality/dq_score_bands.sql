{#
    One row per week and grade metric with a weight or a band: the errors in its bands valid on the date of A. Bands go
    from 0 to 100; each begins where the one before ends, or at most one whole number above.
#}
with

    weeks as (select week_start, calculated_on from {{ ref("int_weeks") }}),

    weighted as (
        select distinct weeks.week_start, weights.metric_id
        from weeks
        inner join
            {{ ref("stg_config__grade_weights") }} as weights on {{ is_valid_on("weights", "weeks.calculated_on") }}
    ),

    bands as (
        select
            weeks.week_start,
            bands.metric_id,
            bands.min as band_min,
            bands.max as band_max,
            lag(bands.max) over metric_bands as max_before,
            lead(bands.min) over metric_bands as min_after
        from weeks
        inner join {{ ref("stg_config__grade_bands") }} as bands on {{ is_valid_on("bands", "weeks.calculated_on") }}
        window metric_bands as (partition by weeks.week_start, bands.metric_id order by bands.min, bands.max)
    ),

    judged as (
        select
            *,
            case when band_min > band_max then 1 else 0 end as inverted,
            case when band_min < 0 or band_max > 100 then 1 else 0 end as outside,
            case when band_min < max_before then 1 else 0 end as overlapping,
            case when band_min > coalesce(max_before + 1, 0) then 1 else 0 end as gap_below,
            case when min_after is null and band_max < 100 then 1 else 0 end as gap_above
        from bands
    ),

    counted as (
        select week_start, metric_id, sum(inverted + outside + overlapping + gap_below + gap_above) as errors
        from judged
        group by week_start, metric_id
    ),

    metrics as (
        select week_start, metric_id
        from weighted
        union
        select week_start, metric_id
        from counted
    )

select
    metrics.week_start,
    metrics.metric_id as scope,
    cast(coalesce(counted.errors, 1) as double) as observed,
    case when counted.errors is null then 'no band for a metric with a weight' end as note
from metrics
left join counted on metrics.week_start = counted.week_start and metrics.metric_id = counted.metric_id
