{{ config(enabled=false) }}
select * from {{ ref('seed_disabled') }}
