-- 415(c): all contributions but catch-ups stay within the limit of the year and within the pay.
select contributions.*
from {{ ref('fct_contributions') }} as contributions
cross join (select max(limit_year) as last_year from {{ ref('irs_contribution_limits') }}) as announced
inner join {{ ref('irs_contribution_limits') }} as limits
    on limits.limit_year = least(contributions.simulation_year, announced.last_year)
where contributions.total_contribution - contributions.catch_up_contribution
    > least(limits.annual_additions_limit, contributions.compensation_paid)
   or contributions.employer_match < 0
   or contributions.employer_core < 0
