{{ config(materialized='table') }}
select
  cast(1 as smallint) as a_smallint, cast(2 as bigint) as a_bigint, cast(1.25 as numeric(10, 3)) as a_numeric,
  cast(1.5 as real) as a_real, cast('2024-02-29' as date) as a_date, cast('2024-02-29 12:34:56.789' as timestamp) as a_timestamp,
  cast('12:34:56' as time) as a_time, cast('1 day' as interval) as an_interval, cast(null as varchar) as a_null,
  cast('6ecd8c99-4036-403d-bf84-cf8400f67836' as uuid) as a_uuid, true as a_bool, cast('{"a": [1, null]}' as json) as a_json,
  cast('2024-02-29 12:34:56+00' as timestamp with time zone) as a_timestamptz
