{{ config(materialized='call_only') }}
-- depends_on: {{ ref('raw') }}
insert into {{ target.schema }}.counter values (1)
