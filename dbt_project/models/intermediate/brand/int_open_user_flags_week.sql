{# One row per week and user flagged as of A by a flag that is not cleared by A: the first of such flags. #}
with flags as ({{ versions_as_of(ref("stg_marketplace__flagged_users"), ["user_id", "flagged_at"]) }})

select week_start, user_id, flagged_at, reason
from flags
where flagged_at <= calculated_at and (cleared_at is null or cleared_at > calculated_at)
qualify row_number() over (partition by week_start, user_id order by flagged_at) = 1
