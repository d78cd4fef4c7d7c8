{{ config(materialized='external', format='json', location=env_var('TESTBED_EXTERNAL') ~ '/by_format.json') }}
select * from {{ ref('ddb_external_csv') }}
