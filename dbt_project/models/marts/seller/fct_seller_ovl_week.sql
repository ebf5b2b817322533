{#
    One row per week and cross-border seller: its order volume limit in the week that follows.
    Follows from the verdicts of all weeks since its first order, published or not: they are cut into the weeks that
    begin with a failure.
#}
with

    verdicts as (select * from {{ ref("int_ovl_verdicts_week") }}),

    sellers as (select week_start, seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border),

    since_failure as (
        select
            *,
            max(case when not is_met then week_start end) over (
                partition by seller_id order by week_start rows between unbounded preceding and current row
            ) as failed_week_start
        from verdicts
    ),

    recovering as (
        select
            *,
            sum(case when is_met then 1 else 0 end) over (
                partition by seller_id, failed_week_start
                order by week_start
                rows between unbounded preceding and current row
            ) as met_weeks,
            row_number() over (partition by seller_id, failed_week_start order by week_start)
            - 1 as weeks_since_failure,
            max(case when not is_met then missed end) over (partition by seller_id, failed_week_start) as reason,
            max(case when not is_met then daily_order_limit_if_missed end) over (
                partition by seller_id, failed_week_start
            ) as daily_order_limit
        from since_failure
    ),

    -- once it is over, a limit comes back with another failure only, whatever a later policy asks for
    limited as (
        select
            *,
            failed_week_start is not null
            and max(
                case when met_weeks >= recovery_weeks or weeks_since_failure >= release_after_weeks then 1 else 0 end
            ) over (
                partition by seller_id, failed_week_start
                order by week_start
                rows between unbounded preceding and current row
            )
            = 0 as is_limited
        from recovering
    ),

    unbroken as (
        select
            *,
            max(case when not is_limited then week_start end) over (
                partition by seller_id order by week_start rows between unbounded preceding and current row
            ) as last_free_week_start
        from limited
    ),

    states as (
        select
            *,
            min(case when is_limited then week_start end) over (
                partition by seller_id, last_free_week_start
            ) as first_limited_week_start
        from unbroken
    )

select
    states.week_start,
    states.seller_id,
    {{ date_add_days("states.week_start", 7) }} as applies_from,
    states.is_limited,
    case when states.is_limited then states.daily_order_limit end as daily_order_limit,
    case when states.is_limited then {{ date_add_days("states.first_limited_week_start", 7) }} end as limited_since,
    case when states.failed_week_start is not null then cast(states.met_weeks as bigint) end as met_weeks_in_a_row,
    case when states.is_limited then states.reason end as reason
from states
inner join sellers on states.week_start = sellers.week_start and states.seller_id = sellers.seller_id
where states.is_from_first_order_on
