{{ config(materialized='view', schema='an exact Schema', meta={'exact_schema': true}) }}
select * from {{ ref('nam_custom_schema') }}
