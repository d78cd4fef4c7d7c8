{{ config(materialized='view', post_hook="{{ hook_from_ref(ref('hk_order')) }}", pre_hook="{% if var('plain_flag') %}select no_such_column{% endif %}") }}
-- depends_on: {{ ref('hk_order') }}
select * from {{ ref('hk_changes_itself') }}
