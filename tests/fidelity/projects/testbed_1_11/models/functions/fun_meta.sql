{{ config(materialized='table', meta={'key': 'meta value'}) }}
select '{{ config.meta_get("key") }}' as got, '{{ config.meta_require("key") }}' as required, '{{ config.meta_get("absent", "default") }}' as absent
