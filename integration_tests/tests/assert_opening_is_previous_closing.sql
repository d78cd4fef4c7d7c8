-- A year opens with the headcount the year before closed with, the first one with the baseline workforce.
with years as (
    select
        simulation_year,
        opening_headcount,
        lag(closing_headcount) over (order by simulation_year) as previous_closing
    from {{ ref('fct_simulation_summary') }}
),

baseline as (
    select count(*) as headcount from {{ ref('int_baseline_workforce') }}
)

select years.*, baseline.headcount
from years
cross join baseline
where years.opening_headcount <> coalesce(years.previous_closing, baseline.headcount)
