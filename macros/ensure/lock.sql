{#
  One initializer at a time, without the wrapper. Taken only when something is missing. Every lock dies with its
  holder: none needs an expiry, a heartbeat or a clean-up (docs/decisions/0004). What can be locked is a trait of the adapter.
#}

{# Take the lock of each schema, waiting up to lock_timeout_seconds for one holder at a time: the limit begins anew when it changes hands.
   An error names the holder where the database knows it. Returns the lock, a dict for _release_lock: 'held', the schemas locked
   (none where nothing can be locked), and 'waited', whether another was seen to hold it before.
   schemas: list of names of the schemas to be built in; the target's is always locked too, for initialization_status looks there. #}
{% macro _acquire_lock(settings, schemas=none) %}
  {% set step, traits = dbt_selfheal._step('acquire_lock'), dbt_selfheal._traits() %}
  {% set lock = {'held': [], 'waited': false, 'timeout_seconds': settings.lock_timeout_seconds, 'failure': 'another initialization is running WHERE.\nGave up after '
    ~ settings.lock_timeout_seconds ~ ' s. Run the same command again when it is done, or raise vars.dbt_selfheal.lock_timeout_seconds.'} %}
  {% if traits.before_lock %}{% do dbt_selfheal._fetch(traits.before_lock) %}{% endif %}
  {% for schema in ((schemas or []) | list + [target.schema]) | unique | sort if traits.try_lock and not lock.whole %}
    {% set wait, key, tries = namespace(since=dbt_selfheal._now(), holder=none), dbt_selfheal._literal('dbt_selfheal:' ~ schema), [1] %}
    {% for attempt in tries %}  {# as many as are appended #}
      {% set held = dbt_selfheal._fetch(traits.try_lock.replace('{key}', key))[0][0] if traits.try_lock is string else traits.try_lock(lock) %}
      {% if held %}
        {% do lock.held.append(schema) %}
      {% else %}
        {% set holder = dbt_selfheal._lock_holder(schema) %}
        {% set who = (holder or '').split(',')[0] %}
        {% if who and who != wait.holder %}{% set wait.holder, wait.since = who, dbt_selfheal._now() %}{% endif %}
        {% if (dbt_selfheal._now() - wait.since).total_seconds() >= lock.timeout_seconds %}
          {% do dbt_selfheal._release_lock(lock) %}
          {% do dbt_selfheal._raise(lock.failure.replace('WHERE', 'on schema ' ~ schema ~ (': ' ~ holder if holder else ''))) %}
        {% endif %}
        {% if not lock.waited %}
          {% do lock.update({'waited': true}) %}
          {% do dbt_selfheal._line('Self-healing: waiting for another initialization of schema ' ~ schema ~ ' (up to ' ~ lock.timeout_seconds ~ ' s)') %}
        {% endif %}
        {% do dbt_selfheal._fetch(traits.wait) %}
        {% do tries.append(1) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {% do dbt_selfheal._step(step) %}
  {% do return(lock) %}
{% endmacro %}


{# Wait while a run without our lock makes the relation of a step (orchestrators run one process for each node), up to lock_timeout_seconds.
   Returns whether the relation is there afterwards; where nothing keeps two initializations apart, whether it is there now. #}
{% macro _made_by_another(entry, settings) %}
  {% set traits, node, wait = dbt_selfheal._traits(), entry.node, namespace(since=dbt_selfheal._now(), builder=none, over=false) %}
  {% if traits.looks_again and traits.names and not entry.type and not entry.is_function %}{% do return(not dbt_selfheal._absent([entry])) %}{% endif %}
  {% if not traits.builder or entry.is_function %}{% do return(false) %}{% endif %}
  {% set query = traits.builder.replace('{key}', dbt_selfheal._literal(node.unique_id)) %}
  {% for attempt in range(100000) if not wait.over %}
    {% set rows = dbt_selfheal._fetch(query, node, node.alias) %}
    {% if not rows %}
      {% set wait.over = true %}
    {% elif (dbt_selfheal._now() - wait.since).total_seconds() >= settings.lock_timeout_seconds %}
      {% do dbt_selfheal._raise('another run is making ' ~ node.name ~ ' (' ~ node.original_file_path ~ '): ' ~ rows[0][0] ~ '.\nGave up after ' ~ settings.lock_timeout_seconds
        ~ ' s. Run the same command again when it is done, or raise vars.dbt_selfheal.lock_timeout_seconds.') %}
    {% else %}
      {% if not wait.builder %}{% do dbt_selfheal._line('Self-healing: waiting for another run that makes ' ~ node.name ~ ' (up to ' ~ settings.lock_timeout_seconds ~ ' s)') %}{% endif %}
      {% set wait.builder = rows[0][0] %}
      {% do dbt_selfheal._fetch(traits.wait) %}
    {% endif %}
  {% endfor %}
  {% do return(wait.builder and not dbt_selfheal._absent([entry])) %}
{% endmacro %}


{# Give the lock back. #}
{% macro _release_lock(lock) %}
  {% set traits = dbt_selfheal._traits() %}
  {% for schema in lock.held if traits.unlock %}{% do dbt_selfheal._fetch(traits.unlock.replace('{key}', dbt_selfheal._literal('dbt_selfheal:' ~ schema))) %}{% endfor %}
  {% if traits.after_lock %}{% do dbt_selfheal._fetch(traits.after_lock) %}{% endif %}
  {% do lock.held.clear() %}
{% endmacro %}


{# Who holds the lock of a schema, and since when, as text; none when nobody does or the database does not tell. #}
{% macro _lock_holder(schema) %}
  {% set query = dbt_selfheal._traits().lock_holder %}
  {% set rows = dbt_selfheal._fetch(query.replace('{key}', dbt_selfheal._literal('dbt_selfheal:' ~ schema))) if query else [] %}
  {% do return(rows[0][0] if rows else none) %}
{% endmacro %}
