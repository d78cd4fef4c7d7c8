{% test longer_than(model, column_name, length, other) %}
{{ config(severity='warn') }}
select {{ column_name }} from {{ model }} where length({{ column_name }}) <= {{ length }} and (select count(*) from {{ other }}) > 0
{% endtest %}
