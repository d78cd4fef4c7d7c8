{{ config(materialized='ephemeral') }}
select 'ephemeral one' as which
