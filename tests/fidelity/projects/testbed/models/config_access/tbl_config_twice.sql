{{ config(materialized='view', tags='first', meta={'a': 1, 'b': 1}) }}
{{ config(materialized='table', tags=['second'], meta={'b': 2}) }}
{% do config(custom_key='by do') %}
select '{{ config.get("materialized") }} {{ config.get("tags") | sort | join(",") }} {{ config.get("meta").a }}{{ config.get("meta").b }} {{ config.get("custom_key") }}' as seen
