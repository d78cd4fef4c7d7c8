{{ config(materialized='view', database='aux') }}
select * from {{ ref('ddb_second_database') }}
