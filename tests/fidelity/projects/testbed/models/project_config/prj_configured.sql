{{ config(meta={'both': 'model'}) }}
select '{{ config.get("materialized") }}' as materialized, '{{ config.get("meta").from_project }} {{ config.get("meta").both }}' as meta, '{{ this.schema }}' as schema_name
