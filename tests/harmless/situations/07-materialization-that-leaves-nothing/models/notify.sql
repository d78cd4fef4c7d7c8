{{ config(materialized='call_only') }}
insert into {{ target.schema }}.counter values (1)
