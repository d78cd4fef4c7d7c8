{{ config(materialized='table') }}
{{ count_all(['int_run_query', 'int_statement_one', 'int_statement_two', 'int_columns', 'int_get_relation', 'int_type_by_query']) }}
