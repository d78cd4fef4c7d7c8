{{ config(materialized='table_function', parameters=['least', 'word'], post_hook="{{ log_hook('table function') }}") }}
select id, word as the_word from {{ ref('raw_orders') }} where id >= least
