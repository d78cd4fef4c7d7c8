{{ config(materialized='incremental', unique_key='id') }} select * from {{ ref('order_view') }}
{% if is_incremental() %} where id > 1000 {% endif %}
