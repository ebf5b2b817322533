select tier, min_grade, visibility_adjustment, fee_adjustment, valid_from, valid_to
from {{ source("config", "grade_tiers") }}
