{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', merge_update_columns=['status'], incremental_predicates=["DBT_INTERNAL_DEST.id > 0"]) }}
select id, status from {{ ref('raw_orders') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
