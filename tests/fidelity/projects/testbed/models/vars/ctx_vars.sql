{{ config(materialized='table') }}
select {{ var('plain_number') }} as plain_number, '{{ var("plain_flag") }}' as plain_flag, '{{ var("regions") | join("+") }}' as regions,
  '{{ var("nested").outer.inner }}' as inner_word, '{{ var("templated") }}' as templated, '{{ var("cli_word") }}' as cli_word,
  '{{ var("scoped_word") }}' as scoped_word, '{{ var("nowhere", "fallback") }}' as fallback, '{{ var.has_var("plain_number") }}' as has_var,
  '{{ var.has_var("nowhere") }}' as has_not, '{{ env_var("TESTBED_WORD", "word") }}' as an_env_var, '{{ var("cli_only", "absent") }}' as cli_only,
  '{{ var("templated_path").split("/")[-1] }}' as templated_path, '{{ var("global_over_package") }}' as global_over_package
