{{ config(materialized='external', location='lake/{{ this.schema }}_{{ this.name }}.csv') }}
select 1 as id
