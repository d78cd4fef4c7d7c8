select sum(amount) as amount from {{ ref('fin_private') }}
