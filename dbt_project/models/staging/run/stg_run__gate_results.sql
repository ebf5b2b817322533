{{ config(tags=["after_gate"]) }}
select week_start, rule_id, scope, severity, passed, observed, lower, upper, message, is_withholding
from {{ source("inputs", "gate_results") }}
