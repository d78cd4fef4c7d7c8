{{ config(materialized='table', pre_hook="set TimeZone = 'America/Los_Angeles'",
          post_hook="insert into " ~ target.schema ~ ".audit values (1)") }}
select cast(cast('2024-01-01 00:00:00+00' as timestamp with time zone) as date) as day
