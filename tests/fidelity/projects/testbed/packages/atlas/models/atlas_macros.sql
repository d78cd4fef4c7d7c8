{{ config(materialized='table') }}
select
  '{{ shared_name() }}' as shared_name,
  '{{ only_in_atlas() }}' as only_in_atlas,
  '{{ atlas.shared_name() }}' as by_package,
  {{ twist("'x'") }} as twisted,
  {{ turn("'x'") }} as turned,
  {{ bend("'x'") }} as bent,
  {{ spin("'x'") }} as spun,
  '{{ project_name }}' as project_name,
  '{{ model.package_name }}' as package_name,
  '{{ this.schema }}' as schema_name
