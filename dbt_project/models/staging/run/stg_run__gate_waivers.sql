{{ config(tags=["after_gate"]) }}
select week_start, rule_id, scope, reason, approved_by, valid_until
from {{ source("inputs", "gate_waivers") }}
