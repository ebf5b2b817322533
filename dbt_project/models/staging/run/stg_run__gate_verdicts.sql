{{ config(tags=["after_gate"]) }} select week_start, is_publishable from {{ source("inputs", "gate_verdicts") }}
