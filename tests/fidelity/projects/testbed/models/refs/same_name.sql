{{ config(materialized='table') }}
select * from (values (1, 'testbed'), (2, 'testbed')) as t (id, package)
