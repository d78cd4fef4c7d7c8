select ordered_on, {{ dbt_utils.pivot('method', dbt_utils.get_column_values(ref('keyed_orders'), 'method', order_by='method')) }}
from {{ ref('keyed_orders') }}
group by ordered_on
