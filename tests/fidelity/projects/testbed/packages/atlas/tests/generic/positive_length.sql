{% test atlas_positive_length(model, column_name) %}
select * from {{ model }} where length({{ column_name }}) < {{ var('atlas_rate') }} - {{ var('atlas_rate') }} + 1
{% endtest %}
