{#
  Columns that hold passwords, and what may go into them.
#}

{# Whether a column's name says that it holds passwords (docs/initial_data.md): it has such a word, and its last word does not
   say that it holds something about a password. Words are divided by what is no letter, and by capitals. #}
{% macro _is_password_name(name) %}
  {% set words = modules.re.findall('[a-z]+', modules.re.sub('([a-z])([A-Z])', '\\1_\\2', name) | lower) %}
  {% if not modules.re.search('passw(or)?d|pwd|passphrase|(?<![a-z])pass(?![a-z])', words | join('_')) %}{% do return(false) %}{% endif %}
  {% do return(words[-1] not in ('at', 'on', 'date', 'time', 'since', 'until', 'by', 'days', 'age', 'required', 'needed', 'enabled', 'disabled', 'allowed',
    'change', 'changed', 'updated', 'reset', 'set', 'expired', 'expires', 'expiry', 'expiration', 'status', 'state', 'policy', 'rule', 'rules', 'strength', 'length',
    'score', 'count', 'attempts', 'failures', 'tries', 'rate', 'fail', 'mark', 'version', 'algorithm', 'algo', 'method', 'type', 'scheme', 'format', 'rounds',
    'iterations', 'cost', 'salt', 'hint', 'question', 'token', 'url', 'link', 'id')) %}
{% endmacro %}


{# Whether a text is an Argon2id hash in PHC form, with at least one of the sets of parameters that OWASP recommends
   (memory in KiB, by the number of passes). #}
{% macro _is_password_hash(value) %}
  {% set parts = modules.re.fullmatch('[$]argon2id[$]v=19[$]m=([0-9]{1,8}),t=([0-9]{1,4}),p=([0-9]{1,3})[$][A-Za-z0-9+/]{11,64}[$][A-Za-z0-9+/]{16,128}', value) %}
  {% if not parts %}{% do return(false) %}{% endif %}
  {% set passes = parts.group(2) | int %}
  {% do return(passes > 0 and parts.group(3) | int > 0 and parts.group(1) | int >= {1: 47104, 2: 19456, 3: 12288, 4: 9216}.get(passes, 7168)) %}
{% endmacro %}
