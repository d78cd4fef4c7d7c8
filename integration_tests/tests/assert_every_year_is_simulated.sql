-- The summary has a row with employees in it for each year from start_year to end_year.
{%- for year in simulation_years() %}
select {{ year }} as missing_year
where not exists (
    select 1 from {{ ref('fct_simulation_summary') }}
    where simulation_year = {{ year }} and closing_headcount > 0
)
{%- if not loop.last %} union all {%- endif %}
{%- endfor %}
