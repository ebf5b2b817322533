{{ config(tags=["after_gate"]) }}
{# One row per week, rule and scope whose failure is waived. #}
select week_start, rule_id, scope, reason, approved_by, valid_until
from {{ ref("stg_run__gate_waivers") }}
