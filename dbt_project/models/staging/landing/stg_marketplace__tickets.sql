{# The newest version of every ticket. #}
with

    versions as (
        select *, row_number() over (partition by ticket_id order by updated_at desc) as version_rank
        from {{ ref("base_marketplace__tickets") }}
    )

select ticket_id, seller_id, channel, topic, raised_at, resolved_at, updated_at
from versions
where version_rank = 1
