{{ config(materialized='table') }}
{% if target.type == 'duckdb' %}
select coalesce(getvariable('region'), 'none') as region
{% else %}
select coalesce(nullif(current_setting('shop.region', true), ''), 'none') as region
{% endif %}
