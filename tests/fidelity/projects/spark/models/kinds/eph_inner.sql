{{ config(materialized='ephemeral') }}
select id, zip from {{ ref('seed_types') }} -- ends with a comment
