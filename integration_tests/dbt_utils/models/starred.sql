select {{ dbt_utils.star(from=ref('amounts_by_method'), relation_alias='a') }}, c.customer_key
from {{ ref('amounts_by_method') }} a join {{ ref('stg_customers') }} c on c.customer_id = a.customer_id
