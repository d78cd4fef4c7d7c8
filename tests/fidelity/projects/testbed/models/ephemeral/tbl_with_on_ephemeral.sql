{{ config(materialized='table') }}
-- with nothing: this comment begins with the word
/* with also here */
with deep as (select * from {{ ref('eph_deep') }}), again as (select * from {{ ref('eph_deep') }})
select deep.*, again.l as again from deep join again on again.id = deep.id
