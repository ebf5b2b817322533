select
    *,
    -- a log that is no call of a flow is a call of nobody
    flow is not null as is_call,
    case
        when t1_received_at > t2_sos_notified_at
        then true
        when t1_received_at > t3_label_created_at
        then true
        when t1_received_at > t4_label_shared_at
        then true
        when t1_received_at > t5_label_sent_at
        then true
        when t2_sos_notified_at > t3_label_created_at
        then true
        when t2_sos_notified_at > t4_label_shared_at
        then true
        when t2_sos_notified_at > t5_label_sent_at
        then true
        when t3_label_created_at > t4_label_shared_at
        then true
        when t3_label_created_at > t5_label_sent_at
        then true
        when t4_label_shared_at > t5_label_sent_at
        then true
        else false
    end as is_backwards
from {{ source("landing", "oms_logs") }}
