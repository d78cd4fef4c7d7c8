{{ config(materialized='stamped', stamp='stamp', indexes=[{'columns': ['id']}], post_hook="{{ log_hook('stamped') }}") }}
select id from {{ ref('raw_payments') }}
