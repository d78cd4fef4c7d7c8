{{ config(materialized='table', alias='a_name_of_exactly_sixty_three_characters_is_the_longest_allowed', indexes=[{'columns': ['id']}]) }}
select id from {{ ref('raw_customers') }}
