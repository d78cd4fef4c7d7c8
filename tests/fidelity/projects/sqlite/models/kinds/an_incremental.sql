{{ config(materialized='incremental', unique_key='id') }}
select id, flag from {{ ref('seed_types') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
