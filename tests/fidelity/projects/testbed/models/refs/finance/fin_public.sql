{{ config(materialized='table', group='finance', access='public') }}
select p.amount as amount, count(*) as n from {{ ref('fin_protected') }} as p cross join {{ ref('fin_private') }} group by 1
