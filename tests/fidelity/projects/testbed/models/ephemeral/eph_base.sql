{{ config(materialized='ephemeral') }}
select id, name, city from {{ ref('raw_customers') }}
