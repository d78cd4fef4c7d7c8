{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['id'], merge_update_columns=['status'], unlogged=true,
   incremental_predicates=["DBT_INTERNAL_DEST.id > 0"], indexes=[{'columns': ['id'], 'unique': true}], grants={'select': 'testbed_reader'}) }}
select id, status from {{ ref('raw_orders') }}
