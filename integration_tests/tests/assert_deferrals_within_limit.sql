-- Nobody defers more than 402(g) and the catch-up limit of their age allow: 50 or older, and 60 to 63 from 2025 on.
select contributions.*
from {{ ref('fct_contributions') }} as contributions
cross join (select max(limit_year) as last_year from {{ ref('irs_contribution_limits') }}) as announced
inner join {{ ref('irs_contribution_limits') }} as limits
    on limits.limit_year = least(contributions.simulation_year, announced.last_year)
where contributions.elective_deferral > limits.elective_deferral_limit
   or contributions.elective_deferral + contributions.catch_up_contribution > limits.elective_deferral_limit + case
        when contributions.age < 50 then 0
        when contributions.age in (60, 61, 62, 63) and contributions.simulation_year >= 2025 then limits.super_catch_up_limit
        else limits.catch_up_limit
      end
