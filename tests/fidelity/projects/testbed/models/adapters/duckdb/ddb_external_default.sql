{{ config(materialized='external') }}
select id, word from {{ ref('ddb_file_source') }}
