{{ config(materialized='incremental', unique_key=['customer_id', 'status'], incremental_strategy='delete+insert',
          incremental_predicates=["customer_id > 0"], on_schema_change='append_new_columns') }}
select customer_id, status, count(*) as n from {{ ref('raw_orders') }} group by 1, 2
