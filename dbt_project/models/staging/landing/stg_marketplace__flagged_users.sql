{# Every version of a flag on a user. #}
select user_id, flagged_at, cleared_at, reason, updated_at from {{ source("landing", "flagged_users") }}
