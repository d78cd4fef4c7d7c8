{{ config(materialized='table') }}
select id * factor as id from {{ ref('raw') }}, {{ target.schema }}.parameters
