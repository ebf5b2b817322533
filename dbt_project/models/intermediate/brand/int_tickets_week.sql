{{ config(materialized="view") }}
{# One row per week and ticket of a Mall seller that was raised or resolved in the week. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    tickets as (select * from {{ ref("stg_marketplace__tickets") }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall),

    events as (
        select
            weeks.week_start,
            tickets.*,
            tickets.raised_at >= weeks.starts_at and tickets.raised_at < weeks.ends_at as is_raised,
            coalesce(
                tickets.resolved_at >= weeks.starts_at and tickets.resolved_at < weeks.ends_at, false
            ) as is_resolved
        from tickets
        cross join weeks
    )

select
    events.week_start,
    events.ticket_id,
    mall_sellers.mall_segment,
    events.channel as ticket_channel,
    events.topic as ticket_topic,
    events.is_raised,
    events.is_resolved
from events
inner join mall_sellers on events.week_start = mall_sellers.week_start and events.seller_id = mall_sellers.seller_id
where events.is_raised or events.is_resolved
