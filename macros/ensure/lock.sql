{#
  One initializer at a time, without the wrapper. Taken only when something is missing. Every lock dies with its
  holder: none needs an expiry, a heartbeat or a clean-up (docs/decisions/0004). What can be locked is a trait of the adapter.
#}

{# Take the lock of each schema, waiting while another holds it (_given_up says how long). An error names the holder where the database knows it.
   Returns the lock, a dict for _release_lock: 'held', the schemas locked (none where nothing can be locked), and 'waited', whether another
   was seen to hold it before.
   schemas: list of names of the schemas to be built in; the target's is always locked too, for initialization_status looks there. #}
{% macro _acquire_lock(settings, schemas=none) %}
  {% set step, traits, begun = dbt_selfheal._step('acquire_lock'), dbt_selfheal._traits(), dbt_selfheal._now() %}
  {% set lock = {'held': [], 'waited': false, 'timeout_seconds': settings.lock_timeout_seconds} %}
  {% if traits.before_lock %}{% do dbt_selfheal._fetch(traits.before_lock) %}{% endif %}
  {% for schema in ((schemas or []) | list + [target.schema]) | unique | sort if traits.try_lock and not lock.whole %}
    {% set wait, key, tries = {'begun': begun}, dbt_selfheal._literal('dbt_selfheal:' ~ schema), [1] %}
    {% for attempt in tries %}  {# as many as are appended #}
      {% set held = dbt_selfheal._fetch(traits.try_lock.replace('{key}', key))[0][0] if traits.try_lock is string else traits.try_lock(lock) %}
      {% if held %}
        {% do lock.held.append(schema) %}
      {% else %}
        {% set holder = dbt_selfheal._lock_holder(schema) %}
        {% set given_up = dbt_selfheal._given_up(wait, holder, settings) %}
        {% if given_up %}
          {% do dbt_selfheal._release_lock(lock) %}
          {% do dbt_selfheal._raise('another initialization is running on schema ' ~ schema ~ (': ' ~ holder[0] if holder[0] else '') ~ '.\n' ~ given_up) %}
        {% endif %}
        {% if not lock.waited %}
          {% do lock.update({'waited': true}) %}
          {% do dbt_selfheal._line('Self-healing: waiting for another initialization of schema ' ~ schema ~ ' (until it has done nothing for ' ~ lock.timeout_seconds ~ ' s)') %}
        {% endif %}
        {% do dbt_selfheal._fetch(traits.wait) %}
        {% do tries.append(1) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {% do dbt_selfheal._step(step) %}
  {% do return(lock) %}
{% endmacro %}


{# Whether waiting for another session is given up: why and what to do, as sentences; none while there is hope. The limit lock_timeout_seconds
   is for a holder that does nothing: it begins anew when another holds the lock, and with each sign of progress of the same. One that is at work
   is waited for 60 times as long, and no longer than timeout_seconds in all.
   wait: a dict in which what was seen is kept between two looks; it has 'begun', when the waiting began (datetime).
   holder: who it is, as text up to the first comma, and a text that changes as it makes progress; both none if the database does not tell. #}
{% macro _given_up(wait, holder, settings) %}
  {% set now, limit, who = dbt_selfheal._now(), settings.lock_timeout_seconds, (holder[0] or '').split(',')[0] %}
  {% if 'since' not in wait or (who and who != wait.who) %}
    {% do wait.update({'who': who, 'since': now, 'sign': holder[1], 'seen': now}) %}
  {% elif holder[1] and holder[1] != wait.sign %}
    {% do wait.update({'sign': holder[1], 'seen': now}) %}
  {% endif %}
  {% set again, setting = '. Run the same command again when it is done, or raise vars.dbt_selfheal.', 'lock_timeout_seconds.' %}
  {% if (now - wait.seen).total_seconds() >= limit %}
    {% do return('Gave up after ' ~ limit ~ ' s' ~ (' in which it did nothing' if limit and who else '') ~ again ~ setting) %}
  {% elif (now - wait.since).total_seconds() >= 60 * limit %}
    {% do return('Gave up after ' ~ 60 * limit ~ ' s (60 times the limit), though it is at work' ~ again ~ setting) %}
  {% elif settings.timeout_seconds and (now - wait.begun).total_seconds() >= settings.timeout_seconds %}
    {% do return('Gave up after ' ~ settings.timeout_seconds ~ ' s, though it is at work' ~ again ~ 'timeout_seconds.') %}
  {% endif %}
  {% do return(none) %}
{% endmacro %}


{# Wait while a run without our lock makes the relation of a step (orchestrators run one process for each node), as long as for the lock.
   Returns whether the relation is there afterwards; where nothing keeps two initializations apart, whether it is there now. #}
{% macro _made_by_another(entry, settings) %}
  {% set traits, node, wait, seen = dbt_selfheal._traits(), entry.node, {'begun': dbt_selfheal._now()}, [] %}
  {% if traits.looks_again and traits.names and not entry.type and not entry.is_function %}{% do return(not dbt_selfheal._absent([entry])) %}{% endif %}
  {% if not traits.builder or entry.is_function %}{% do return(false) %}{% endif %}
  {% set query, tries = traits.builder.replace('{key}', dbt_selfheal._literal(node.unique_id)), [1] %}
  {% for attempt in tries %}  {# as many as are appended #}
    {% for builder in dbt_selfheal._fetch(query, node, node.alias) %}
      {% set given_up = dbt_selfheal._given_up(wait, builder, settings) %}
      {% if given_up %}
        {% do dbt_selfheal._raise('another run is making ' ~ node.name ~ ' (' ~ node.original_file_path ~ '): ' ~ builder[0] ~ '.\n' ~ given_up) %}
      {% elif not seen %}
        {% do dbt_selfheal._line('Self-healing: waiting for another run that makes ' ~ node.name ~ ' (until it has done nothing for ' ~ settings.lock_timeout_seconds ~ ' s)') %}
      {% endif %}
      {% do seen.append(builder[0]) %}
      {% do dbt_selfheal._fetch(traits.wait) %}
      {% do tries.append(1) %}
    {% endfor %}
  {% endfor %}
  {% do return(seen and not dbt_selfheal._absent([entry])) %}
{% endmacro %}


{# Give the lock back. #}
{% macro _release_lock(lock) %}
  {% set traits = dbt_selfheal._traits() %}
  {% for schema in lock.held if traits.unlock %}{% do dbt_selfheal._fetch(traits.unlock.replace('{key}', dbt_selfheal._literal('dbt_selfheal:' ~ schema))) %}{% endfor %}
  {% if traits.after_lock %}{% do dbt_selfheal._fetch(traits.after_lock) %}{% endif %}
  {% do lock.held.clear() %}
{% endmacro %}


{# Who holds the lock of a schema, and since when, as text, and a text that changes as that session makes progress; both none when nobody holds it
   or the database does not tell. #}
{% macro _lock_holder(schema) %}
  {% set query = dbt_selfheal._traits().lock_holder %}
  {% set rows = dbt_selfheal._fetch(query.replace('{key}', dbt_selfheal._literal('dbt_selfheal:' ~ schema))) if query else [] %}
  {% do return(rows[0] if rows else [none, none]) %}
{% endmacro %}
