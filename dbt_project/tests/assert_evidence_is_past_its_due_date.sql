{{ config(meta={"dagster": {"ref": {"name": "fct_metric_evidence_week"}}}) }}
{#
    What counts against a seller for a deadline was done after it, or hadn't been done when it had passed; each has its
    deadline, and nothing else has one. An order that is due counts as late before its hours of confirmation run out, if
    a policy gives it more of them than days.
#}
{% set metrics_with_deadline = [
    "pending_to_shipped_48h_rate",
    "pending_to_shipped_n_hours_rate",
    "pending_to_ready_to_ship_n_hours_rate",
    "shipping_on_time_rate",
    "ovl_on_time_rate",
    "shipment_in_target_duration",
] %}
select evidence.week_start, evidence.metric_id, evidence.unit_id, evidence.happened_at, evidence.due_at
from {{ ref("fct_metric_evidence_week") }} as evidence
inner join {{ ref("int_weeks") }} as weeks on evidence.week_start = weeks.week_start
where
    evidence.due_at >= evidence.happened_at
    or (
        evidence.happened_at is null
        and evidence.due_at >= weeks.calculated_at
        and evidence.metric_id <> 'ovl_on_time_rate'
    )
    or (evidence.due_at is null) = (
        evidence.metric_id in (
            {% for metric_id in metrics_with_deadline %}
                '{{ metric_id }}' {% if not loop.last %}, {% endif %}
            {% endfor %}
        )
    )
