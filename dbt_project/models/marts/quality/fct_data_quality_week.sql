{{ config(tags=["after_gate"]) }}
{# One row per week, rule and scope: the gate's result, of withheld weeks too. #}
select week_start, rule_id, scope, severity, passed, observed, lower, upper, message, is_withholding
from {{ ref("stg_run__gate_results") }}
