{{ config(materialized='table') }}
{{ count_all(['out_view', 'fk_grandchild', 'ysnap_reader', 'ysnap_of_source']) }}
