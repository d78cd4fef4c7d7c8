{{ config(materialized='table') }}
select '{% raw %}{{ not rendered }} {% nor this %}{% endraw %}' as braces, 'a%b %s %(x)s %%' as percents, ':name ?' as binds,
       'it''s' as quoted, '{{ "{{" }}' as escaped, '$dollar$ \n \\' as backslashes
from {{ ref('raw_orders') }} where status like 'p%'
