{{ config(materialized='table', custom_key='custom value', meta={'owner': 'team a', 'list': [1, 2]}, tags=['one', 'two']) }}
select '{{ config.get("custom_key") }}' as custom_key, '{{ config.require("custom_key") }}' as required,
  '{{ config.get("absent", default="a default") }}' as absent, '{{ config.get("also_absent", "positional") }}' as also_absent,
  '{{ config.get("meta").owner }}' as owner, {{ config.get('meta')['list'] | sum }} as list_sum,
  '{{ config.get("materialized") }}' as materialized, '{{ config.get("tags") | join("+") }}' as tags,
  '{{ configured_key("custom_key") }}' as through_macro, '{{ required_key("custom_key") }}' as required_through_macro,
  '{{ config.persist_relation_docs() }} {{ config.persist_column_docs() }}' as docs
