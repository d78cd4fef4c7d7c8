{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['customer_id', 'status']}]) }}
select id, customer_id, status from {{ ref('raw_orders') }}
