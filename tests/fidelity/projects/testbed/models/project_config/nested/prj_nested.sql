select '{{ this.schema }}' as schema_name, p.materialized from {{ ref('prj_configured') }} as p
