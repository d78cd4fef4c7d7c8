{{ config(materialized='table', alias='UPPER_And_Lower') }}
select * from {{ ref('nam_reserved') }}
