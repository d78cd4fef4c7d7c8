with recursive t as (select 1 as n union all select n + 1 from t where n < {{ var('plain_number') }}) select n from t
