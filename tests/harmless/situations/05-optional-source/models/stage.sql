{{ config(materialized='table') }}
{% set relation = load_relation(source('landing', 'refunds')) %}
{% if relation is not none %}
select id from {{ relation }}
{% else %}
select cast(null as integer) as id
{% endif %}
