{{ config(materialized='external', location=env_var('TESTBED_EXTERNAL') ~ '/part.parquet', options={'codec': 'zstd', 'row_group_size': 1000}, persist_docs={'relation': true}) }}
select * from {{ ref('ddb_external_json') }}
