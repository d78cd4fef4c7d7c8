{{ config(materialized='table', unlogged=true, indexes=[{'columns': ['id'], 'type': 'hash'}, {'columns': ['status', 'id'], 'unique': true, 'type': 'btree'}]) }}
select id, status from {{ ref('raw_orders') }}
