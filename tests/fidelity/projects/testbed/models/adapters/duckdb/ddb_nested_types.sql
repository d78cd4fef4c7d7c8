{{ config(materialized='table') }}
select [1, null, 3] as a_list, {'a': 1, 'b': {'c': 'x'}} as a_struct, map(['k'], [1]) as a_map, cast('a' as enum('a', 'b')) as an_enum,
  cast('101' as bit) as a_bit, cast(1 as hugeint) as a_hugeint, cast('ab' as blob) as a_blob, cast(1 as utinyint) as a_utinyint,
  cast([1, 2] as integer[2]) as an_array, cast('2024-01-01 00:00:00.123456789' as timestamp_ns) as a_timestamp_ns
