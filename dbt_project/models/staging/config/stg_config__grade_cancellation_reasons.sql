select cancellation_reason, valid_from, valid_to from {{ source("config", "grade_cancellation_reasons") }}
