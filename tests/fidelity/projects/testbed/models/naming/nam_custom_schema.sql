{{ config(materialized='table', schema='custom') }}
select '{{ this.schema }}' as schema_name
