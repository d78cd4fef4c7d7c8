{{ config(materialized='view') }}
select {{ dbt_utils.star(from=ref('customers'), except=['email']) }},
  {{ dbt_utils.generate_surrogate_key(['customer_id', 'name']) }} as customer_key
from {{ ref('customers') }}
