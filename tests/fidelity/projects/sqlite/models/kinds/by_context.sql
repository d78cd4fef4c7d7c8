{{ config(materialized='table', meta={'word': 'of the config'}) }}
select '{{ config.get('meta').word }}' as word, {{ var('plain_number') }} as number, '{{ var('templated') }}' as templated,
  '{{ var('cli_word') }}' as cli, '{{ var('none_such', 'the default') }}' as absent, {{ shout("'shout'") }} as shouted,
  '{{ this.identifier }}' as me, '{{ model.name }}' as name, '{{ target.schema }}' as target_schema
