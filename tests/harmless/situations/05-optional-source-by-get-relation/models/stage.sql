{{ config(materialized='table') }}
-- depends_on: {{ source('landing', 'refunds') }} {{ source('landing', 'orders') }}
{{ connectors.union_sources(['refunds', 'orders']) }}
