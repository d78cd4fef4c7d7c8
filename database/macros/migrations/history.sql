{#
  The history of migrations: the table selfheal_migrations, in the setting `schema` or the target's. It exists only once
  a migration is used. One row for each attempt; the last one of a migration tells its state:
    success null            started and not finished (action: run or rollback): only without a transaction, else nothing of it is there
    success                 applied, unless rolled_back_at is set
    not success             failed, as somebody said with repair_migrations; it is pending again
#}

{% macro _history_relation() %}
  {% do return(dbt_selfheal._own_relation('selfheal_migrations')) %}
{% endmacro %}


{# Whether the history table is there: dbt's cache can say yes; only the database can say no. #}
{% macro _history_exists() %}
  {% set table = dbt_selfheal_database._history_relation() %}
  {% if adapter.get_relation(table.database, table.schema, table.identifier) %}{% do return(true) %}{% endif %}
  {% do return(table.identifier in dbt_selfheal._names_in_schema(table.without_identifier())) %}
{% endmacro %}


{# Make the history table if it is not there. The table's key makes it impossible that two runs apply a migration at the same time,
   whatever becomes of the lock. #}
{% macro _create_history() %}
  {% if not dbt_selfheal_database._history_exists() %}
    {% do dbt_selfheal_database._create_own_table(dbt_selfheal_database._history_relation(), 'package varchar(255) not null, version varchar(255) not null, attempt integer not null, '
      ~ 'name varchar(255) not null, checksum varchar(32) not null, action varchar(16) not null, applied_by varchar(255), host varchar(255), '
      ~ 'started_at varchar(32) not null, completed_at varchar(32), duration_seconds ' ~ dbt.type_float() ~ ', statements_done integer, '
      ~ 'statements_total integer, success boolean, rolled_back_at varchar(32), primary key (package, version, attempt)') %}
  {% endif %}
{% endmacro %}


{# Make a table of this package, its schema, and the target's schema, which migrations expect; the lock is held.
   columns: what stands between the parentheses. #}
{% macro _create_own_table(table, columns) %}
  {% for relation in (table, table.incorporate(path={'schema': target.schema})) if not adapter.check_schema_exists(relation.database, relation.schema) %}
    {% do adapter.create_schema(relation) %}
  {% endfor %}
  {% do adapter.add_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') %}
  {% do adapter.commit() %}
  {% do adapter.cache_added(table) %}
{% endmacro %}


{# All rows of the history, as dicts, in the order of the attempts. #}
{% macro _history_rows() %}
  {% set rows = [] %}
  {% if dbt_selfheal_database._history_exists() %}
    {% set columns = ['package', 'version', 'attempt', 'name', 'checksum', 'action', 'applied_by', 'host', 'started_at', 'completed_at',
      'duration_seconds', 'statements_done', 'statements_total', 'success', 'rolled_back_at'] %}
    {% for row in dbt_selfheal._fetch('select ' ~ columns | join(', ') ~ ' from ' ~ dbt_selfheal_database._history_relation()
        ~ ' order by started_at, package, version, attempt') %}
      {% set entry = dict(zip(columns, row.values())) %}
      {% do entry.update({
        'id': dbt_selfheal_database._migration_id(entry.package, entry.version), 'success': none if entry.success is none else entry.success | int == 1,
        'slug': entry.name.split('__', 2)[-1], 'attempt': entry.attempt | int,
        'duration_seconds': none if entry.duration_seconds is none else entry.duration_seconds | float | round(3),
        'statements_done': (entry.statements_done or 0) | int, 'statements_total': (entry.statements_total or 0) | int}) %}
      {% do rows.append(entry) %}
    {% endfor %}
  {% endif %}
  {% do return(rows) %}
{% endmacro %}


{# The SQL of a migration's new row. entry: its migration, with the number of the attempt, from 1; fields: {column: value} besides
   those of every row. #}
{% macro _history_insert_sql(entry, action, fields) %}
  {% set values = dict({
    'package': entry.package, 'version': entry.version, 'attempt': entry.attempt, 'name': entry.macro, 'checksum': entry.checksum,
    'action': action, 'applied_by': dbt_selfheal_database._user_name(), 'host': dbt_selfheal_database._host_name(), 'started_at': dbt_selfheal._iso(dbt_selfheal._now())}, **fields) %}
  {% do return('insert into ' ~ dbt_selfheal_database._history_relation() ~ ' (' ~ values | join(', ') ~ ') values ('
    ~ dbt_selfheal_database._literals(values.values()) | join(', ') ~ ')') %}
{% endmacro %}


{# The SQL that changes a migration's row. entry: anything with package, recorded_version and attempt. #}
{% macro _history_update_sql(entry, fields) %}
  {% set assignments = [] %}
  {% for column, value in fields.items() %}{% do assignments.append(column ~ ' = ' ~ dbt_selfheal_database._literals([value])[0]) %}{% endfor %}
  {% do return('update ' ~ dbt_selfheal_database._history_relation() ~ ' set ' ~ assignments | join(', ') ~ ' where package = ' ~ dbt_selfheal._literal(entry.package)
    ~ ' and version = ' ~ dbt_selfheal._literal(entry.recorded_version) ~ ' and attempt = ' ~ entry.attempt) %}
{% endmacro %}


{# Values as SQL literals. #}
{% macro _literals(values) %}
  {% set literals = [] %}
  {% for value in values %}
    {% do literals.append('null' if value is none else value | string | lower if value is boolean else value | string if value is number
      else dbt_selfheal._literal(value | string)) %}
  {% endfor %}
  {% do return(literals) %}
{% endmacro %}


{# Who runs dbt: the database's user where it has users, else the system's. (The command sets DBT_SELFHEAL_USER and _HOST.) #}
{% macro _user_name() %}
  {% do return(target.get('user') or env_var('DBT_SELFHEAL_USER', env_var('USER', env_var('LOGNAME', env_var('USERNAME', '')))) or none) %}
{% endmacro %}


{# Where dbt runs, as far as Jinja can know. #}
{% macro _host_name() %}
  {% set host, query = env_var('DBT_SELFHEAL_HOST', env_var('HOSTNAME', env_var('COMPUTERNAME', ''))), dbt_selfheal._traits().host_name %}
  {% do return(host or (dbt_selfheal._fetch(query)[0][0] if query else none)) %}
{% endmacro %}
