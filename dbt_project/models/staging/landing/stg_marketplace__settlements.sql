{# Every version of a payout or invoice document. #}
select document_id, seller_id, document_type, generated_at, synced_at, sync_status, failure_reason, updated_at
from {{ source("landing", "settlements") }}
