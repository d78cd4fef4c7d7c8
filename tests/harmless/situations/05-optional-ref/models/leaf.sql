{{ config(materialized='table') }}
{{ if_there('legacy') }}
