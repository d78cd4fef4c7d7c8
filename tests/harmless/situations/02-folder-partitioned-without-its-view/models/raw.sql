{{ config(materialized='external', location='lake/raw', format='parquet',
          options={'partition_by': 'year', 'overwrite_or_ignore': true}) }}
select 24 as id, 2024 as year
union all select 25, 2025
