select metric_id, min, max, score, valid_from, valid_to from {{ source("config", "grade_bands") }}
