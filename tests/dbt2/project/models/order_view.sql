{{ config(materialized='view') }} select * from {{ ref('orders') }} where cents > 0
