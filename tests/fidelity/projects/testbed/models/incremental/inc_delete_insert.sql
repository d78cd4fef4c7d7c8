{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='id') }}
select id, status, '{{ is_incremental() }}' as was_incremental from {{ ref('raw_orders') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
