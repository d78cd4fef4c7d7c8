{{ config(materialized='table', grants={'select': ['testbed_reader'], 'insert': ['testbed_reader', '"Testbed Writer"']}) }}
select id from {{ ref('pgs_unlogged') }}
