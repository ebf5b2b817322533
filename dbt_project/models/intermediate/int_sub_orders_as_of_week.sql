{{ config(materialized="view") }}
{#
    One row per week and sub-order placed by A: the newest version, its
    timestamps after A cut away (a reason goes with its timestamp), with the seller as of A.
    A view, never materialised: each figure reads only its own window of it.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    sub_orders as (select * from {{ ref("stg_marketplace__sub_orders") }}),

    sellers as (select * from {{ ref("int_sellers_as_of_week") }})

select
    weeks.week_start,
    weeks.starts_at,
    weeks.ends_at,
    weeks.calculated_at,
    sub_orders.sub_order_id,
    sub_orders.order_id,
    sub_orders.seller_id,
    sub_orders.user_id,
    sub_orders.shipment_type,
    sub_orders.is_seller_shipped,
    sub_orders.ordered_at,
    coalesce({{ as_of("sub_orders.pending_at", "weeks.calculated_at") }}, sub_orders.ordered_at) as pending_since,
    {{ as_of("sub_orders.confirmed_at", "weeks.calculated_at") }} as confirmed_at,
    {{ as_of("sub_orders.ready_to_ship_at", "weeks.calculated_at") }} as ready_to_ship_at,
    {{ as_of("sub_orders.shipped_at", "weeks.calculated_at") }} as shipped_at,
    {{ as_of("sub_orders.delivered_at", "weeks.calculated_at") }} as delivered_at,
    {{ as_of("sub_orders.cancelled_at", "weeks.calculated_at") }} as cancelled_at,
    case when sub_orders.cancelled_at <= weeks.calculated_at then sub_orders.cancelled_by end as cancelled_by,
    case
        when sub_orders.cancelled_at <= weeks.calculated_at then sub_orders.cancellation_reason
    end as cancellation_reason,
    {{ as_of("sub_orders.returned_at", "weeks.calculated_at") }} as returned_at,
    {{ as_of("sub_orders.failed_delivery_at", "weeks.calculated_at") }} as failed_delivery_at,
    case
        when sub_orders.failed_delivery_at <= weeks.calculated_at then sub_orders.failed_delivery_reason
    end as failed_delivery_reason,
    sub_orders.promised_ship_at,
    sub_orders.promised_delivery_at,
    sub_orders.estimated_delivery_days,
    sellers.mall_segment,
    coalesce(sellers.is_mall, false) as is_mall,
    sellers.oms_client,
    sellers.oms_enabled_at,
    coalesce(sellers.weekend_days, 'sun') as weekend_days,
    sellers.pending_to_shipped_hours,
    sellers.pending_to_ready_to_ship_hours
from weeks
cross join sub_orders
left join sellers on weeks.week_start = sellers.week_start and sub_orders.seller_id = sellers.seller_id
-- not a join on `<=`: DuckDB takes that for a handful of rows, and builds each join that follows on the large side
where {{ as_of("sub_orders.ordered_at", "weeks.calculated_at") }} is not null
