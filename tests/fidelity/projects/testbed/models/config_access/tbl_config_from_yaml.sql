select '{{ config.get("meta").from_yaml }}' as from_yaml, '{{ this.schema }}' as schema_name, '{{ config.get("stamp", "none") }}' as stamp
