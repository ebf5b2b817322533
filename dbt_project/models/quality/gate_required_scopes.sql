{#
    One row per week of the run, rule and scope that the profile must hold; a null scope asks for at least one row.
    What isn't there did not run. Says itself which sources a rule needs, rather than believe the profile.
#}
with

    weeks as (select week_start, calculated_on from {{ ref("int_weeks") }}),

    sources as ({{ sources_of_weeks() }}),

    logs as (select week_start from sources where source = 'oms_logs'),

    weeks_with_logs as (select week_start from {{ ref("int_records_week") }} where source = 'oms_logs'),

    weeks_with_calls as (select distinct week_start from {{ ref("int_oms_calls_hour") }}),

    failed_files as (select distinct source from {{ ref("stg_run__files") }} where status = 'failed'),

    metrics as (select metric_id from {{ ref("int_brand_metrics") }}),

    figures as (select distinct week_start, metric_id from {{ ref("int_judged_figures_week") }}),

    required as (
        {% for rule in var("rules") if rule.scope == "all" %}
            select weeks.week_start, '{{ rule.id }}' as rule_id, 'all' as scope
            from weeks
            where
                true
                {% if rule.metric %}
                    and exists (select 1 from metrics where metric_id = '{{ rule.metric }}')
                {% endif %}
                {% for name in rule.needs %} and {{ source_is_present(name) }} {% endfor %}
            union all
        {% endfor %}
        {% for rule in var("rules") if rule.scope == "source" %}
            select week_start, '{{ rule.id }}' as rule_id, source as scope
            from ({{ sources_of_weeks(rule.of) }}) as sources_of_rule
            where true {% for name in rule.needs %} and {{ source_is_present(name) }} {% endfor %}
            union all
        {% endfor %}
        select logs.week_start, 'null_request_id_rate_client' as rule_id, cast(null as string) as scope
        from logs
        inner join weeks_with_logs on logs.week_start = weeks_with_logs.week_start
        inner join metrics on metrics.metric_id = 'null_request_id_rate'
        union all
        select logs.week_start, 'client_calls' as rule_id, cast(null as string) as scope
        from logs
        inner join weeks_with_calls on logs.week_start = weeks_with_calls.week_start
        union all
        select week_start, 'score_bands' as rule_id, cast(null as string) as scope
        from weeks
        union all
        select weeks.week_start, 'score_bands' as rule_id, weights.metric_id as scope
        from weeks
        inner join
            {{ ref("stg_config__grade_weights") }} as weights on {{ is_valid_on("weights", "weeks.calculated_on") }}
        union all
        select weeks.week_start, 'files_readable' as rule_id, failed_files.source as scope
        from weeks
        cross join failed_files
        union all
        {% for system in ["oms", "marketplace"] %}
            select week_start, 'snapshot_days' as rule_id, '{{ system }}' as scope
            from sources
            where source = 'inventory_snapshots'
            union all
        {% endfor %}
        select week_start, 'rates_in_bounds' as rule_id, metric_id as scope
        from figures
        union all
        select weeks.week_start, 'rates_in_bounds' as rule_id, metrics.metric_id as scope
        from weeks
        cross join metrics
        union all
        {% for flow in ["acceptance", "manifestation"] %}
            select weeks.week_start, 'contributions_sum' as rule_id, '{{ flow }}/all' as scope
            from weeks
            cross join metrics
            where metrics.metric_id = '{{ flow }}_failure_rate'
            union all
        {% endfor %}
        {% for table in tables_before_gate() %}
            select week_start, 'keys_unique' as rule_id, '{{ table }}' as scope
            from weeks
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select distinct week_start, rule_id, scope
from required
