{{ config(materialized='partitioned', partition_key='id', partitions=3, like_relation="{{ ref('raw_orders') }}") }}
select * from {{ ref('raw_orders') }}
