{{ config(materialized='incremental', indexes=[{'columns': ['id']}]) }}
{#- asks the database about itself before it exists -#}
{%- set itself = adapter.get_relation(database=this.database, schema=this.schema, identifier=this.identifier) -%}
select id, '{{ "there" if itself else "not there" }}' as before, '{{ load_relation(this) is none }}' as missing from {{ ref('raw_payments') }}
