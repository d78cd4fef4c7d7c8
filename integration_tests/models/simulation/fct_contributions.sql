-- What each employee and the employer pay into the retirement plan in each year, within the limits of the IRS.
with workforce as (
    select employee_id, simulation_year, employment_status, age, age_band, compensation_paid
    from {{ ref('sim_workforce_by_year') }}
),

-- Whether somebody is highly compensated is decided by the year before.
prior_compensation as (
    select employee_id, compensation_year + 1 as simulation_year, compensation_paid
    from {{ ref('int_employee_compensation_by_year') }}
    where compensation_year = {{ census_year() }}
    union all
    select employee_id, simulation_year + 1, compensation_paid
    from workforce
),

-- The baseline workforce keeps its deferral rate; hires choose one by their age in the year of hire.
elections as (
    select employee_id, deferral_rate_bps
    from {{ ref('int_employee_benefits') }}
    union all
    select
        workforce.employee_id,
        case
            when workforce.age < {{ var('minimum_age') }} then 0
            when {{ draw('workforce.employee_id', 'participation') }} >= age_bands.participation_bps then 0
            -- half to one and a half times the average of the age band, in whole percent
            else 100 * {{ whole_share(
                'age_bands.average_deferral_bps',
                '5000 + ' ~ draw('workforce.employee_id', 'deferral'),
                1000000
            ) }}
        end
    from workforce
    inner join {{ ref('config_age_bands') }} as age_bands
        on workforce.age_band = age_bands.age_band
    where workforce.employment_status in ('new_hire_active', 'new_hire_termination')
),

-- The plan counts pay up to the limit of 401(a)(17) only.
elected as (
    select
        workforce.employee_id,
        workforce.simulation_year,
        workforce.age,
        workforce.compensation_paid,
        least(workforce.compensation_paid, limits.compensation_limit) as plan_compensation,
        coalesce(prior_compensation.compensation_paid > prior_limits.hce_threshold, false) as is_highly_compensated,
        elections.deferral_rate_bps,
        limits.elective_deferral_limit,
        case
            when workforce.age between 60 and 63 then limits.super_catch_up_limit
            when workforce.age >= 50 then limits.catch_up_limit
            else 0
        end as catch_up_limit,
        limits.annual_additions_limit
    from workforce
    inner join elections
        on workforce.employee_id = elections.employee_id
    inner join {{ ref('int_irs_limits_by_year') }} as limits
        on workforce.simulation_year = limits.simulation_year
    inner join {{ ref('int_irs_limits_by_year') }} as prior_limits
        on workforce.simulation_year - 1 = prior_limits.simulation_year
    left join prior_compensation
        on workforce.employee_id = prior_compensation.employee_id
        and workforce.simulation_year = prior_compensation.simulation_year
),

rated as (
    select
        employee_id,
        simulation_year,
        age,
        compensation_paid,
        plan_compensation,
        is_highly_compensated,
        case when is_highly_compensated
            then least(deferral_rate_bps, {{ var('hce_deferral_cap_bps') }})
            else deferral_rate_bps
        end as deferral_rate_bps,
        elective_deferral_limit,
        catch_up_limit,
        annual_additions_limit
    from elected
),

-- Deferrals up to 402(g); what was elected beyond that is a catch-up contribution, from the age of 50.
deferred as (
    select
        *,
        least({{ basis_points_of('plan_compensation', 'deferral_rate_bps') }}, elective_deferral_limit) as elective_deferral,
        least(
            greatest({{ basis_points_of('plan_compensation', 'deferral_rate_bps') }} - elective_deferral_limit, 0),
            catch_up_limit
        ) as catch_up_contribution
    from rated
),

matched as (
    select
        *,
        {{ match_formula('elective_deferral + catch_up_contribution', 'plan_compensation') }} as match_promised,
        {{ basis_points_of('plan_compensation', var('core_contribution_bps')) }} as core_promised,
        -- 415(c): all but catch-up contributions together, and never more than the pay
        least(annual_additions_limit, compensation_paid) - elective_deferral as employer_room
    from deferred
),

contributed as (
    select
        *,
        least(match_promised, employer_room) as employer_match,
        least(core_promised, employer_room - least(match_promised, employer_room)) as employer_core
    from matched
)

select
    employee_id,
    simulation_year,
    age,
    compensation_paid,
    plan_compensation,
    is_highly_compensated,
    deferral_rate_bps,
    elective_deferral,
    catch_up_contribution,
    employer_match,
    employer_core,
    elective_deferral + employer_match + employer_core as annual_additions,
    elective_deferral + catch_up_contribution + employer_match + employer_core as total_contribution
from contributed
