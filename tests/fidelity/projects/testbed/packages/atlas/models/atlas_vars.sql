{{ config(materialized='table') }}
select
  {{ var('atlas_rate') }} as root_scoped,
  '{{ var("atlas_word") }}' as own_default,
  '{{ var("atlas_scoped", "not seen") }}' as own_scoped,
  '{{ var("global_over_package") }}' as root_global,
  '{{ var("cli_word") }}' as from_cli,
  '{{ var("cli_scoped") }}' as cli_over_scoped,
  '{{ var("atlas_template") }}' as templated,
  '{{ var("nowhere", "fallback") }}' as fallback
