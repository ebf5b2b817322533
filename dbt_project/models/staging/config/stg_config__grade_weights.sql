select metric_id, weight, valid_from, valid_to from {{ source("config", "grade_weights") }}
