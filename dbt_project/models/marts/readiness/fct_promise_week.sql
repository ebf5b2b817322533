{#
    One row per week and Mall segment (or `mall`): the promises to ship and to deliver that fell due in the week, how many
    were kept, how long shipping took, and within how many hours it could have been promised.
#}
{% set lasting_members = ["mall"] + mall_segments() %}
{% set percents = [50, 90, 95] %}
with

    weeks as (
        select week_start
        from {{ ref("int_weeks") }}
        where {{ source_is_present("seller_orders") }} and {{ source_is_present("sellers") }}
    ),

    members as (
        {% for member in lasting_members %}
            select '{{ member }}' as member
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    promises as (
        select
            *,
            case when promise = 'ship' and taken_us >= 0 then taken_us end as shipped_within_us,
            -- greater than any other, for those that are still open: they are shipped never
            case
                when promise = 'ship'
                then case when is_done then greatest(taken_us, 0) else cast(9223372036854775807 as bigint) end
            end as waited_us
        from {{ ref("int_promises_week") }}
    ),

    counted as (
        select
            week_start,
            coalesce(mall_segment, 'mall') as member,
            {% for promise in ["ship", "delivery"] %}
                count(*) filter (where promise = '{{ promise }}') as {{ promise }}_due,
                count(*) filter (where promise = '{{ promise }}' and is_kept) as {{ promise }}_kept,
            {% endfor %}
            count(*) filter (where promise = 'ship' and not is_done) as ship_open,
            {{ nearest_ranks("shipped_within_us", percents) }} as percentiles_us,
            {{ nearest_rank("waited_us", 95) }} as within_95_us
        from promises
        group by grouping sets ((week_start), (week_start, mall_segment))
    ),

    settled as (
        select
            weeks.week_start,
            members.member as mall_segment,
            {% for promise in ["ship", "delivery"] %}
                coalesce(counted.{{ promise }}_due, 0) as {{ promise }}_due,
                coalesce(counted.{{ promise }}_kept, 0) as {{ promise }}_kept,
            {% endfor %}
            counted.percentiles_us,
            -- with more than 5 % open no number of hours is enough
            case when 20 * counted.ship_open <= counted.ship_due then counted.within_95_us end as within_95_us
        from weeks
        cross join members
        left join counted on weeks.week_start = counted.week_start and members.member = counted.member
    )

select
    week_start,
    mall_segment,
    ship_due,
    ship_kept,
    {{ percent("ship_kept", "ship_due", "decimal(9,2)") }} as ship_kept_rate,
    delivery_due,
    delivery_kept,
    {{ percent("delivery_kept", "delivery_due", "decimal(9,2)") }} as delivery_kept_rate,
    {% for percent in percents %}
        {{ exact_ratio(nth("percentiles_us", loop.index), hour_us(), 2, 1, "decimal(9,2)") }} as p{{ percent }}_hours,
    {% endfor %}
    cast(
        {{ int_div("cast(within_95_us as bigint) + " ~ hour_us() ~ " - 1", hour_us()) }} as decimal(9, 2)
    ) as promise_hours_for_95
from settled
