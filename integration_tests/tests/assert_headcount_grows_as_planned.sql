-- Hiring meets the planned growth: the closing headcount is off by 2 % (or 10 people) at most.
select simulation_year, opening_headcount, closing_headcount
from {{ ref('fct_simulation_summary') }}
where abs(closing_headcount * 10000 - opening_headcount * (10000 + {{ var('headcount_growth_bps') }}))
    > greatest(opening_headcount * 200, 100000)
