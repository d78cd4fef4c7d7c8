{{ config(materialized='view', alias='größe 東京') }}
select * from {{ ref('nam_upper') }}
