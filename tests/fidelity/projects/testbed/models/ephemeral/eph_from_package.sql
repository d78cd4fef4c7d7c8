{{ config(materialized='ephemeral') }}
select code, twisted, rate from {{ ref('atlas', 'atlas_eph') }}
