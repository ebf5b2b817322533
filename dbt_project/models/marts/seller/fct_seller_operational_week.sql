{# One row per week and cross-border seller, from the week of its first order on. #}
with

    verdicts as (select * from {{ ref("int_ovl_verdicts_week") }} where is_from_first_order_on),

    sellers as (select week_start, seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border)

select
    verdicts.week_start,
    verdicts.seller_id,
    verdicts.orders_due,
    verdicts.cancelled_seller_fault,
    verdicts.not_on_time,
    {{ percent("verdicts.cancelled_seller_fault", "verdicts.orders_due", "decimal(9,2)") }} as cancellation_rate,
    {{ percent("verdicts.orders_due - verdicts.not_on_time", "verdicts.orders_due", "decimal(9,2)") }} as on_time_rate,
    verdicts.most_orders_in_a_day,
    verdicts.is_assessable,
    verdicts.is_met
from verdicts
inner join sellers on verdicts.week_start = sellers.week_start and verdicts.seller_id = sellers.seller_id
