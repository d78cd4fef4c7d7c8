{{ config(materialized='table') }}
{%- set parent = ref('int_star_of_view') -%}
{%- set found = adapter.get_relation(database=parent.database, schema=parent.schema, identifier=parent.identifier) -%}
{%- set seed = load_relation(ref('raw_customers')) -%}
{%- set nothing = adapter.get_relation(database=parent.database, schema=parent.schema, identifier='no such relation') -%}
select '{{ found.type if found else "none" }}' as parent_type, '{{ seed.type if seed else "none" }}' as seed_type, '{{ nothing }}' as nothing,
  '{{ adapter.check_schema_exists(target.database, target.schema) if execute }}' as schema_exists,
  '{{ adapter.get_missing_columns(ref("raw_customers"), ref("int_star")) | map(attribute="name") | join(",") if execute }}' as missing_columns
-- depends_on: {{ ref('int_star') }}
