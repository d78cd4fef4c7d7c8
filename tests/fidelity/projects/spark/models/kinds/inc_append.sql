{{ config(materialized='incremental', file_format='parquet', incremental_strategy='append') }}
select id, flag from {{ ref('a_table') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
