{{ config(materialized='external', location='lake/raw.csv', options={'delimiter': '|'}, csv_read_options={'delim': '|', 'header': true}) }}
select 1 as id, 'x' as name
