{#
    One row per order of a seller that is cross-border in the run, created by A of its last week: what was known of it at
    A of the week of its due date, published or not. An order that isn't due yet, or that was created while no policy
    held, has no week.
    Read by one pass over the sub-orders of these sellers, however many weeks the run has.
#}
with

    sellers as (select * from {{ ref("int_ovl_sellers") }}),

    deadlines as (select * from {{ ref("int_ovl_deadlines") }}),

    weeks as (select week_start, calculated_at from {{ ref("int_ovl_weeks") }}),

    last_week as (select max(calculated_at) as calculated_at from weeks),

    faults as (
        select reason
        from {{ source("config", "reason_classes") }}
        where kind = 'cancellation' and class = 'seller_fault'
    ),

    sub_orders as (
        select
            sub_orders.seller_id,
            sub_orders.order_id,
            sub_orders.ordered_at,
            sub_orders.confirmed_at,
            sub_orders.shipped_at,
            sub_orders.cancelled_at,
            sub_orders.cancellation_reason,
            faults.reason is not null and sub_orders.cancelled_by is distinct from 'customer' as is_fault
        from {{ ref("stg_marketplace__sub_orders") }} as sub_orders
        inner join sellers on sub_orders.seller_id = sellers.seller_id
        left join faults on sub_orders.cancellation_reason = faults.reason
    ),

    created as (select seller_id, order_id, min(ordered_at) as created_at from sub_orders group by seller_id, order_id),

    dated as (
        select
            created.seller_id,
            created.order_id,
            created.created_at,
            deadlines.due_on,
            case
                when deadlines.runs_from is null
                then deadlines.confirm_due_at
                else {{ add_us("deadlines.confirm_due_at", lag_us("deadlines.runs_from", "created.created_at")) }}
            end as confirm_due_at,
            deadlines.handover_due_at,
            weeks.week_start,
            weeks.calculated_at,
            coalesce(weeks.calculated_at, last_week.calculated_at) as known_until
        from created
        cross join last_week
        left join
            deadlines
            on cast(created.created_at as date) = deadlines.utc_day
            and created.created_at >= deadlines.starts_at
            and created.created_at < deadlines.ends_at
        left join weeks on deadlines.week_start = weeks.week_start
        where {{ as_of("created.created_at", "last_week.calculated_at") }} is not null
    ),

    -- a step that a cancellation made needless, and that wasn't the seller's fault, is as good as done
    steps as (
        select
            dated.*,
            least(
                {{ as_of("sub_orders.confirmed_at", "dated.calculated_at") }},
                case when not sub_orders.is_fault then {{ as_of("sub_orders.cancelled_at", "dated.calculated_at") }} end
            ) as confirmed_at,
            least(
                {{ as_of("sub_orders.shipped_at", "dated.calculated_at") }},
                case when not sub_orders.is_fault then {{ as_of("sub_orders.cancelled_at", "dated.calculated_at") }} end
            ) as handed_over_at,
            case
                when sub_orders.is_fault then {{ as_of("sub_orders.cancelled_at", "dated.calculated_at") }}
            end as fault_cancelled_at,
            sub_orders.cancellation_reason
        from sub_orders
        inner join dated on sub_orders.seller_id = dated.seller_id and sub_orders.order_id = dated.order_id
        where sub_orders.ordered_at <= dated.known_until
    ),

    orders as (
        select
            seller_id,
            order_id,
            max(week_start) as week_start,
            max(created_at) as created_at,
            max(due_on) as due_on,
            max(confirm_due_at) as confirm_due_at,
            max(handover_due_at) as handover_due_at,
            case when count(*) = count(confirmed_at) then max(confirmed_at) end as confirmed_at,
            case when count(*) = count(handed_over_at) then max(handed_over_at) end as handed_over_at,
            min(fault_cancelled_at) as fault_cancelled_at,
            min(cancellation_reason) filter (where fault_cancelled_at is not null) as fault_reason
        from steps
        group by seller_id, order_id
    )

select
    week_start,
    seller_id,
    order_id,
    created_at,
    due_on,
    confirm_due_at,
    confirmed_at,
    handover_due_at,
    handed_over_at,
    fault_cancelled_at,
    fault_reason,
    case when week_start is not null then fault_cancelled_at is not null end as ovl_cancellation_rate,
    case
        when week_start is not null
        then coalesce(confirmed_at <= confirm_due_at and handed_over_at <= handover_due_at, false)
    end as ovl_on_time_rate
from orders
