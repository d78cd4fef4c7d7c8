{{ config(materialized='table', post_hook="{{ log_hook('model: post') }}") }}
select '{{ hook_word("x") if hook_word is defined else "no macro" }}' as word
