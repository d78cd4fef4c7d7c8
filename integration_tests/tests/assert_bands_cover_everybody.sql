-- Nobody is lost between the bands: all active employees of the census are in the baseline workforce.
select census.employee_id
from {{ ref('stg_census') }} as census
left join {{ ref('int_baseline_workforce') }} as baseline
    on census.employee_id = baseline.employee_id
where census.is_active
  and baseline.employee_id is null
