{{ config(materialized='view', grants={'+select': 'testbed_reader'}) }}
select id from {{ ref('pgs_granted') }}
