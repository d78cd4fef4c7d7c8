{{ configure_as_table('alias by a macro') }}
select '{{ this.identifier }}' as me, '{{ config.get("materialized") }}' as materialized
