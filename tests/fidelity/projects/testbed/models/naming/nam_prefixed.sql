{{ config(materialized='table', meta={'prefix': 'pre'}) }}
select '{{ this.identifier }}' as identifier
