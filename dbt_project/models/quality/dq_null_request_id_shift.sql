{#
    One row per week, scope `all`: by how many points the share of log records without a request_id is off the mean of
    the shares of the up to four landed weeks before.
#}
with

    weeks as ({{ sources_of_weeks("has_request_id") }}),

    records as (select * from {{ ref("int_records_week") }}),

    landed_weeks as (select week_start from {{ ref("int_landed_weeks") }}),

    rates as (
        select week_start, {{ share("null_request_ids", "records") }} as rate from records where source = 'oms_logs'
    ),

    landed_rates as (
        select rates.week_start, rates.rate
        from rates
        inner join landed_weeks on rates.week_start = landed_weeks.week_start
    ),

    -- added up in a fixed order: a sum of fractions must not follow the order of rows
    before as (
        select
            weeks.week_start,
            (
                {% for weeks_before in range(1, rule_entry("null_request_id_shift").looks_back // 7 + 1) %}
                    coalesce(
                        max(landed_rates.rate) filter (
                            where landed_rates.week_start = {{ date_add_days("weeks.week_start", -7 * weeks_before) }}
                        ),
                        0
                    )
                    {% if not loop.last %} + {% endif %}
                {% endfor %}
            )
            / count(*) as mean_rate
        from weeks
        inner join
            landed_rates
            on landed_rates.week_start < weeks.week_start
            and landed_rates.week_start
            >= {{ date_add_days("weeks.week_start", -rule_entry("null_request_id_shift").looks_back) }}
        group by weeks.week_start
    )

select
    weeks.week_start,
    'all' as scope,
    abs(rates.rate - before.mean_rate) as observed,
    case
        when rates.rate is null
        then 'no log record in the week'
        when before.mean_rate is null
        then 'no landed week among the four before'
    end as note
from weeks
left join rates on weeks.week_start = rates.week_start
left join before on weeks.week_start = before.week_start
