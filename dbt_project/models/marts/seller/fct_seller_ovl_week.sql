{#
    One row per week and cross-border seller: its order volume limit in the week that follows. Follows from the verdicts of
    all weeks since its first order, published or not.

    A seller is free or limited. Each week moves it by its verdict, and the state holds for the week that follows:

    | state   | week                                              | next state                                     |
    | ------- | ------------------------------------------------- | ---------------------------------------------- |
    | any     | failed: a target is missed                        | limited, to the limit that this week sets      |
    | limited | the recovery_weeks-th week met since the failure  | free: recovered                                |
    | limited | the release_after_weeks-th week since the failure | free: released                                 |
    | limited | any other, met or not assessable                  | limited, to the same limit                     |
    | free    | any other                                         | free                                           |

    The worked example of the specification, with 2 recovery weeks, of 1,000 orders in week 0 and at most 200 in a day:

    | week | verdict                                   | met since the failure | state of the week that follows          |
    | ---- | ----------------------------------------- | --------------------- | --------------------------------------- |
    | 0    | failed: 93 % on time                      | 0                     | limited to 0.8 x 200 = 160 orders a day |
    | 1    | met                                       | 1                     | limited to 160                          |
    | 2    | met                                       | 2                     | free                                    |
    | 3    | failed                                    | 0                     | limited, to a limit computed anew       |
#}
with

    verdicts as (select * from {{ ref("int_ovl_verdicts_week") }}),

    sellers as (select week_start, seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border),

    -- every week belongs to the last failure up to it, which is its week number 1
    since_failure as (
        select
            *,
            max(case when not is_met then week_start end) over (
                partition by seller_id order by week_start rows between unbounded preceding and current row
            ) as failed_week_start
        from verdicts
    ),

    counted as (
        select
            *,
            row_number() over since as week_number,
            sum(case when is_met then 1 else 0 end) over since as met_weeks,
            max(case when not is_met then missed end) over since as reason,
            max(case when not is_met then daily_order_limit_if_missed end) over since as daily_order_limit
        from since_failure
        window
            since as (
                partition by seller_id, failed_week_start
                order by week_start
                rows between unbounded preceding and current row
            )
    ),

    transitions as (
        select *, met_weeks >= recovery_weeks as is_recovered, week_number > release_after_weeks as is_released
        from counted
    ),

    -- once it is over, a limit comes back with another failure only, whatever a later policy asks for
    states as (
        select
            *,
            failed_week_start is not null
            and not coalesce(
                bool_or(is_recovered or is_released) over (
                    partition by seller_id, failed_week_start
                    order by week_start
                    rows between unbounded preceding and current row
                ),
                false
            ) as is_limited
        from transitions
    ),

    unbroken as (
        select
            *,
            max(case when not is_limited then week_start end) over (
                partition by seller_id order by week_start rows between unbounded preceding and current row
            ) as last_free_week_start
        from states
    ),

    dated as (
        select
            *,
            min(case when is_limited then week_start end) over (
                partition by seller_id, last_free_week_start
            ) as first_limited_week_start
        from unbroken
    )

select
    dated.week_start,
    dated.seller_id,
    {{ date_add_days("dated.week_start", 7) }} as applies_from,
    dated.is_limited,
    case when dated.is_limited then dated.daily_order_limit end as daily_order_limit,
    case when dated.is_limited then {{ date_add_days("dated.first_limited_week_start", 7) }} end as limited_since,
    case when dated.failed_week_start is not null then cast(dated.met_weeks as bigint) end as met_weeks_in_a_row,
    case when dated.is_limited then dated.reason end as reason
from dated
inner join sellers on dated.week_start = sellers.week_start and dated.seller_id = sellers.seller_id
where dated.is_from_first_order_on
