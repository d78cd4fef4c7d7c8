select e.id, e.kind, o.{{ adapter.quote('Big Id') }} as big_id, v.n
from {{ source('external_raw', 'plain_events') }} as e
join {{ source('external_raw', 'odd_table') }} as o on o.{{ adapter.quote('Big Id') }} = e.id
cross join {{ source('external_raw', 'a_view') }} as v
