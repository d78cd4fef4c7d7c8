{{ config(materialized='table', schema='with_a_name_that_goes_on_for_longer_than_any_schema_of_postgresql_may') }}
select 1 as id
