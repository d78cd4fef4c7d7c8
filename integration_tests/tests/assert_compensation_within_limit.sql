-- The plan counts no pay above the limit of 401(a)(17), and none that was not paid.
select contributions.*
from {{ ref('fct_contributions') }} as contributions
cross join (select max(limit_year) as last_year from {{ ref('irs_contribution_limits') }}) as announced
inner join {{ ref('irs_contribution_limits') }} as limits
    on limits.limit_year = least(contributions.simulation_year, announced.last_year)
where contributions.plan_compensation > limits.compensation_limit
   or contributions.plan_compensation > contributions.compensation_paid
