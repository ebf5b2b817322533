{#
    One row per week, metric, seller, unit that counts against the metric, and incident that excuses it: one of the
    seller's OMS client as of A, or of all, that began before A and overlaps the time that the unit had.
#}
with

    weeks as (select week_start, calculated_at from {{ ref("int_weeks") }}),

    -- a client that is called unknown, and none at all, are one member in every figure, and one in incidents
    sellers as (
        select week_start, seller_id, coalesce(oms_client, 'unknown') as oms_client
        from {{ ref("int_sellers_as_of_week") }}
    ),

    clients as (
        select 'unknown' as oms_client
        union
        select oms_client
        from sellers
    ),

    incidents as (select * from {{ ref("stg_config__incidents") }}),

    -- an incident of all is one of each client, which makes the search for it an equi-join
    incidents_of_clients as (
        select weeks.week_start, clients.oms_client, incidents.incident_id, incidents.starts_at, incidents.ends_at
        from incidents
        inner join weeks on incidents.starts_at < weeks.calculated_at
        inner join clients on incidents.oms_client in ('all', clients.oms_client)
    ),

    units as (
        select evidence.*, coalesce(sellers.oms_client, 'unknown') as oms_client
        from {{ ref("int_metric_evidence_week") }} as evidence
        left join sellers on evidence.week_start = sellers.week_start and evidence.seller_id = sellers.seller_id
        where evidence.had_from <= evidence.had_until
    )

select units.week_start, units.metric_id, units.seller_id, units.unit_id, incidents.incident_id, incidents.starts_at
from units
inner join
    incidents_of_clients as incidents
    on units.week_start = incidents.week_start
    and units.oms_client = incidents.oms_client
    and incidents.starts_at <= units.had_until
    and units.had_from < incidents.ends_at
