{{ config(materialized='incremental', unique_key='id') }}
select id, l from {{ ref('eph_left') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
