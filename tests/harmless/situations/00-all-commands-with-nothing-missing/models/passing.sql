{{ config(materialized='ephemeral') }}
select id from {{ ref('view_on_seed') }}
