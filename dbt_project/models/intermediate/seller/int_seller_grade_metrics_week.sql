{#
    One row per week, seller with a line in the grade window, and metric of the grade: its counts, its rate, the score of
    the band that holds the rate, and its weight, all exact. A metric with nothing to count has neither rate nor score, and
    one that isn't measured counts nothing.
#}
{% set metrics = metrics_of("seller_grade") %}
with

    weeks as (select week_start, calculated_on from {{ ref("int_weeks") }}),

    lines as (
        select
            week_start,
            seller_id,
            count(*) as lines,
            count(*) filter (where is_in_seller_cancel_rate) as seller_cancelled,
            count(*) filter (where is_in_customer_cancel_rate) as customer_cancelled,
            count(*) filter (where is_in_seller_related_delivery_problems) as with_problem
        from {{ ref("int_seller_grade_lines_week") }}
        group by week_start, seller_id
    ),

    orders as (
        select
            week_start,
            seller_id,
            count(is_in_shipment_in_target_duration) as judged,
            count(*) filter (where is_in_shipment_in_target_duration) as in_target
        from {{ ref("int_seller_grade_orders_week") }}
        group by week_start, seller_id
    ),

    unmeasured as (select distinct metric_id from {{ ref("int_unmeasured_metrics") }}),

    metrics as (
        {% for metric in metrics %}
            select '{{ metric.id }}' as metric_id
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    counted as (
        select
            lines.week_start,
            lines.seller_id,
            metrics.metric_id,
            unmeasured.metric_id is null as is_measured,
            {% for part in ["numerator", "denominator"] %}
                coalesce(
                    case
                        when unmeasured.metric_id is not null
                        then 0
                        {% for metric in metrics %}
                            when metrics.metric_id = '{{ metric.id }}' then {{ metric[part] }}
                        {% endfor %}
                    end,
                    0
                ) as {{ part }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from lines
        left join orders on lines.week_start = orders.week_start and lines.seller_id = orders.seller_id
        cross join metrics
        left join unmeasured on metrics.metric_id = unmeasured.metric_id
    ),

    valued as (select *, {{ percent("numerator", "denominator", "decimal(9,2)") }} as value from counted),

    weights as (
        select weeks.week_start, weights.metric_id, weights.weight
        from weeks
        inner join
            {{ ref("stg_config__grade_weights") }} as weights on {{ is_valid_on("weights", "weeks.calculated_on") }}
    ),

    bands as ({{ steps_valid_at("grade_bands", "min", ["metric_id", "score"], of=["metric_id"]) }}),

    scored as (
        select
            valued.week_start,
            valued.seller_id,
            valued.metric_id,
            valued.is_measured,
            valued.numerator,
            valued.denominator,
            valued.value,
            bands.score,
            coalesce(weights.weight, 0) as weight
        from valued
        left join weights on valued.week_start = weights.week_start and valued.metric_id = weights.metric_id
        left join
            bands
            on valued.week_start = bands.week_start
            and valued.metric_id = bands.metric_id
            and {{ is_on_step("valued.value", "bands") }}
    )

select
    *, sum(case when denominator > 0 then weight else 0 end) over (partition by week_start, seller_id) as scored_weight
from scored
