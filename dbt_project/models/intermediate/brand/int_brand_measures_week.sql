{#
    One row per week, brand metric, dimension and member that its population holds: numerator and denominator.
    Each population is read once and counted for all of its dimensions; the registry says which metric takes what.
#}
{% set order_dimensions = ["mall_segment", "oms_client"] %}
{% set ticket_dimensions = ["mall_segment", "ticket_channel", "ticket_topic"] %}
{% set document_dimensions = ["oms_client", "document_type", "mall_segment"] %}
{% set log_dimensions = ["oms_client", "event_name"] %}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    placed_sub_orders as (select * from {{ ref("int_placed_sub_orders_week") }}),

    mall_orders as (
        select
            week_start,
            {{ dimension_and_member(order_dimensions, "mall") }},
            count(*) as placed,
            count(*) filter (where is_shipped) as shipped,
            count(*) filter (where is_sla_breach_cancellation) as sla_breach_cancellations,
            count(*) filter (where is_of_bad_user) as bad_user_orders,
            count(*) filter (where is_oms_enabled) as enabled_orders
        from placed_sub_orders
        where is_mall
        group by {{ by_dimensions(order_dimensions) }}
    ),

    client_orders as (
        select
            week_start,
            {{ dimension_and_member(["oms_client"], "all") }},
            count(*) as placed,
            count(*) filter (where is_not_accepted) as not_accepted
        from placed_sub_orders
        where oms_client is not null
        group by {{ by_dimensions(["oms_client"]) }}
    ),

    manifested_orders as (
        select
            week_start,
            {{ dimension_and_member(order_dimensions, "mall") }},
            count(*) as sent_for_label,
            count(*) filter (where is_not_manifested) as not_manifested
        from {{ ref("int_manifested_sub_orders_week") }}
        group by {{ by_dimensions(order_dimensions) }}
    ),

    claims_or_deliveries as (
        select week_start, mall_segment, true as is_claim
        from {{ ref("int_claims_week") }}
        union all
        select week_start, mall_segment, false as is_claim
        from {{ ref("int_delivered_sub_orders_week") }}
    ),

    claims_and_deliveries as (
        select
            week_start,
            {{ dimension_and_member(["mall_segment"], "mall") }},
            count(*) filter (where is_claim) as claims,
            count(*) filter (where not is_claim) as deliveries
        from claims_or_deliveries
        group by {{ by_dimensions(["mall_segment"]) }}
    ),

    listings as (
        select
            week_start,
            {{ dimension_and_member(["mall_segment"], "mall") }},
            count(*) as listed,
            count(*) filter (where has_accurate_logo) as accurate_logos
        from {{ ref("int_listed_products_week") }}
        group by {{ by_dimensions(["mall_segment"]) }}
    ),

    tickets as (
        select
            week_start,
            {{ dimension_and_member(ticket_dimensions, "mall") }},
            count(*) filter (where is_raised) as raised,
            count(*) filter (where is_resolved) as resolved
        from {{ ref("int_tickets_week") }}
        group by {{ by_dimensions(ticket_dimensions) }}
    ),

    documents as (
        select
            week_start,
            {{ dimension_and_member(document_dimensions, "mall") }},
            count(*) as generated,
            count(*) filter (where is_synced) as synced
        from {{ ref("int_settlement_documents_week") }}
        group by {{ by_dimensions(document_dimensions) }}
    ),

    mall_sellers as (
        select
            sellers.week_start,
            sellers.mall_segment,
            sellers.brand_id,
            sellers.onboarded_at < weeks.ends_at as is_onboarded,
            sellers.oms_enabled_at < weeks.ends_at as is_enabled
        from {{ ref("int_sellers_as_of_week") }} as sellers
        inner join weeks on sellers.week_start = weeks.week_start
        where sellers.is_mall
    ),

    brands as (
        select
            week_start,
            {{ dimension_and_member(["mall_segment"], "mall") }},
            count(distinct case when is_onboarded then brand_id end) as onboarded,
            count(distinct case when is_enabled then brand_id end) as enabled
        from mall_sellers
        group by {{ by_dimensions(["mall_segment"]) }}
    ),

    requests as (select * from {{ ref("int_request_counts_week") }}),

    client_events as (
        select log_counts.*
        from {{ ref("int_log_counts_day") }} as log_counts
        inner join weeks on log_counts.week_start = weeks.week_start
    ),

    log_records as (
        select
            week_start,
            {{ dimension_and_member(log_dimensions, "all") }},
            sum(records) as records,
            sum(null_records) as null_records
        from client_events
        group by {{ by_dimensions(log_dimensions) }}
    )

{% for metric in metrics_of("brand") %}
    select
        week_start,
        '{{ metric.id }}' as metric_id,
        dimension,
        member,
        cast({{ metric.numerator }} as bigint) as numerator,
        cast({{ metric.denominator or "null" }} as bigint) as denominator
    from {{ metric.relation }}
    where dimension in ('overall' {% for dimension in metric.dimensions %}, '{{ dimension }}' {% endfor %})
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
