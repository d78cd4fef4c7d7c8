-- How each employee of the baseline workforce takes part in the retirement plan when the simulation starts.
with compensation as (
    select employee_id, compensation_paid
    from {{ ref('int_employee_compensation_by_year') }}
    where compensation_year = {{ census_year() }}
),

enrolled as (
    select
        workforce.employee_id,
        workforce.age,
        compensation.compensation_paid,
        workforce.age >= {{ var('minimum_age') }} as is_eligible,
        case when workforce.age >= {{ var('minimum_age') }} then workforce.deferral_rate_bps else 0 end as deferral_rate_bps
    from {{ ref('int_baseline_workforce') }} as workforce
    inner join compensation
        on workforce.employee_id = compensation.employee_id
)

select
    enrolled.employee_id,
    enrolled.is_eligible,
    enrolled.deferral_rate_bps > 0 as is_participating,
    enrolled.deferral_rate_bps,
    enrolled.age >= 50 as is_catch_up_eligible,
    enrolled.compensation_paid > limits.hce_threshold as is_highly_compensated,
    least(enrolled.compensation_paid, limits.compensation_limit) as plan_compensation
from enrolled
inner join {{ ref('int_irs_limits_by_year') }} as limits
    on limits.simulation_year = {{ census_year() }}
