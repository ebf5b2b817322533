{# Every version of a claim. #}
select claim_id, sub_order_id, raised_at, claim_type, verdict, updated_at from {{ source("landing", "claims") }}
