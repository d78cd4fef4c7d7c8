{# everything above a Python model: only `dbt build --select +leaf_after_python` builds it #}
select count(*) as n from {{ ref('python_events') }}
