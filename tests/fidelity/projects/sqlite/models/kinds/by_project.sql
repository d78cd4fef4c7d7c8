{{ config(materialized='stamped', stamp='ours') }}
select id from {{ ref('seed_types') }}
