select flow, failure_reason, l2_category, is_oms_fault from {{ source("config", "failure_reasons") }}
