{{ config(materialized='table') }}
select array[1, null, 3] as an_array, '{"a": 1}'::jsonb as a_jsonb, '\x6162'::bytea as bytes, '10.0.0.1/8'::inet as an_inet,
  'abc'::char(5) as a_char, 'abc'::varchar(5) as a_varchar, int4range(1, 3) as a_range, 'a fat cat'::tsvector as a_tsvector,
  '1'::money as cash, b'101' as bits, point(1, 2) as a_point, 'x' collate "C" as collated, null::xml as an_xml
