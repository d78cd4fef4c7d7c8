{{ config(materialized='external', location="{{ env_var('TESTBED_EXTERNAL') }}/by_location.csv", options={'delimiter': '|', 'header': true}) }}
select * from {{ ref('ddb_external_default') }}
