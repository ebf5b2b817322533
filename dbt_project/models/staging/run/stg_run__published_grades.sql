select week_start, seller_id, final_grade, tier, is_partial from {{ source("inputs", "published_grades") }}
