{# PostgreSQL. #}

{# With `autocommit: true` in the profile there are no transactions in dbt either.
   The lock is a session-level advisory lock. Without the setting client_connection_check_interval (PostgreSQL 14 and later) a server
   notices only at the end of a statement that its client is gone, and a killed run would hold the lock until then. So it is set for
   as long as any lock is held, and a little longer. #}
{% macro postgres___traits() %}
  {% set plain, key = not (adapter.config and adapter.config.credentials.autocommit), 'hashtextextended({key}, 0)' %}
  {% set schemas = 'pg_catalog.pg_namespace n where n.nspname = {schema}::name' %}
  {# of a session: it works, unless it waits for a lock or for its client; else when it last began or ended something #}
  {% set progress = "case when state = 'active' and coalesce(wait_event_type, '') not in ('Lock', 'Client') then clock_timestamp()::text "
    ~ "else concat_ws(' ', state, state_change, query_start, xact_start) end" %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'postgres', 'looks_again': false, 'any_case': false, 'bound_views': true, 'enter_session': context['dbt_selfheal']['_postgres_session'],
    'begin': 'begin' if plain else none, 'transactions': 'database' if plain else 'none',
    'names': "select c.relname, case c.relkind when 'v' then 'view' when 'm' then 'materialized_view' else 'table' end from pg_catalog.pg_class c "
      ~ "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'f', 'v', 'm') and n.nspname = {schema}::name",
    'function_exists': 'select 1 from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace '
      ~ 'where n.nspname = {schema}::name and p.proname = {name}::name limit 1',
    'forbidden': "select 'the role ' || current_user || ' may not create in the schema ' || n.nspname || '; its owner ' || pg_get_userbyid(n.nspowner) || ' can: grant create on schema ' "
      ~ "|| quote_ident(n.nspname) || ' to ' || quote_ident(current_user) from " ~ schemas ~ " and not has_schema_privilege(n.oid, 'create') union all "
      ~ "select 'the schema ' || {schema} || ' is missing, and the role ' || current_user || ' may not make it; the owner of the database can: grant create on database ' || quote_ident(current_database()) "
      ~ "|| ' to ' || quote_ident(current_user) where not exists (select from " ~ schemas ~ ") and not has_database_privilege(current_database(), 'create')",
    'try_lock': 'select pg_try_advisory_lock(' ~ key ~ ')', 'unlock': 'select pg_advisory_unlock(' ~ key ~ ')', 'wait': 'select pg_sleep(0.2)',
    'before_lock': "select set_config(name, '1000', false) from pg_settings where name = 'client_connection_check_interval' and setting = '0' and version() like '%linux%'",
    'after_lock': "select set_config(name, reset_val, false) from pg_settings where name = 'client_connection_check_interval'",
    'builder': "select 'backend pid ' || pid || ' of user ' || usename || ', for ' || extract(epoch from clock_timestamp() - xact_start)::int || ' s', " ~ progress ~ " from pg_stat_activity "
      ~ "where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null and (strpos(query, '\"' || {schema} || '\".\"' || {name} || '__dbt_') > 0 "
      ~ "or strpos(query, '\"node_id\": \"' || {key} || '\"') > 0) limit 1",
    'lock_holder': "select 'backend pid ' || a.pid || ' of user ' || usename || coalesce(' from ' || coalesce(host(client_addr), 'this host') || ', connected for ' "
      ~ "|| extract(epoch from clock_timestamp() - backend_start)::int || ' s, ' || state || ' for ' || extract(epoch from clock_timestamp() - state_change)::int || ' s', '') "
      ~ "|| case when wait_event_type = 'Lock' then ', waiting for backend pid ' || array_to_string(pg_blocking_pids(a.pid), ', ') else '' end, "
      ~ progress ~ " || ' ' || l.virtualtransaction from pg_locks l join pg_stat_activity a on a.pid = l.pid "
      ~ "where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database()) "
      ~ 'and (l.classid::bigint << 32) | l.objid::bigint = ' ~ key,
    'typed_values': "select 1 as i, 1.5 as n, date '2000-01-01' as d, timestamp '2000-01-01 00:00:00' as t, true as b, 'a'::text as raw, 'a'::text as txt",
    'host_name': "select coalesce(host(inet_client_addr()), 'the host of the server')",
  })) %}
{% endmacro %}


{# Every setting that was made in this session, the role and the user are put back to those that dbt connects with. (A setting of one's own
   making that was set once is empty from then on, and not null.) #}
{% macro _postgres_session() %}
  {% if flags.WHICH != 'run-operation' and adapter.add_query('select 1', auto_begin=false)[0].handle.get_transaction_status() != 0 %}
    {% do return(none) %}
  {% endif %}
  {% set role, undo = adapter.config.credentials.role or 'none', [] %}
  {% set now = dbt_selfheal._fetch("select current_setting('role'), session_user::text")[0] %}
  {% if now[1] != adapter.config.credentials.user %}
    {% do undo.append('set session authorization ' ~ adapter.quote(now[1])) %}
    {% do dbt_selfheal._fetch('reset session authorization') %}
  {% endif %}
  {% if now[0] != role or undo %}
    {% do undo.append('set role ' ~ (now[0] if now[0] == 'none' else adapter.quote(now[0]))) %}
    {% do dbt_selfheal._fetch('set role ' ~ role) %}
  {% endif %}
  {% for row in dbt_selfheal._fetch("select name, setting from pg_settings where source = 'session' and setting is distinct from reset_val and name not like 'transaction\\_%' and name <> 'client_connection_check_interval'") %}
    {% do undo.insert(0, 'select set_config(' ~ dbt_selfheal._literal(row[0]) ~ ', ' ~ dbt_selfheal._literal(row[1]) ~ ', false)') %}
    {% do dbt_selfheal._fetch('reset "' ~ row[0] ~ '"') %}
  {% endfor %}
  {% set code = [] %}  {# settings of one's own making are in no catalog: those that hooks name #}
  {% for id, node in builtins.ref.manifest.nodes.items() if '-on-run-start-' in id %}{% do code.append(node.raw_code ~ dbt_selfheal._code_of_macros(node.depends_on.macros)) %}{% endfor %}
  {% for name in modules.re.findall("(?i)(?:\\bset\\s+(?:session\\s+)?|set_config\\s*\\(\\s*')([a-z_]\\w*[.]\\w+)", modules.re.sub('[{]%[-+]?\\s*set\\b', '', code | join('\n'))) | unique %}
    {% set value = dbt_selfheal._fetch('select current_setting(' ~ dbt_selfheal._literal(name) ~ ', true)')[0][0] %}
    {% if value %}
      {% do undo.append('select set_config(' ~ dbt_selfheal._literal(name) ~ ', ' ~ dbt_selfheal._literal(value) ~ ', false)') %}
      {% do dbt_selfheal._fetch('select set_config(' ~ dbt_selfheal._literal(name) ~ ", '', false)") %}
    {% endif %}
  {% endfor %}
  {% if dbt_selfheal._fetch('select pg_my_temp_schema()::int')[0][0] %}  {# temporary relations go behind all others #}
    {% set path = dbt_selfheal._fetch("select current_setting('search_path')")[0][0] %}
    {% if "'search_path'" not in undo | join %}{% do undo.append("select set_config('search_path', " ~ dbt_selfheal._literal(path) ~ ', false)') %}{% endif %}
    {% do dbt_selfheal._fetch("select set_config('search_path', " ~ dbt_selfheal._literal(path ~ ', pg_temp' if path else 'pg_temp') ~ ', false)') %}
  {% endif %}
  {% do return(undo) %}
{% endmacro %}
