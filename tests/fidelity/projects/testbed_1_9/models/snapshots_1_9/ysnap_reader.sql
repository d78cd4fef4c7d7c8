{{ config(materialized='table') }}
select s.id, s.valid_from, s.valid_to, s.is_deleted from {{ ref('ysnap_timestamp') }} as s
join {{ ref('ysnap_of_ephemeral') }} as e on e.id <= s.customer_id
