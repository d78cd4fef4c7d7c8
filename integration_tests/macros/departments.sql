{#- The department that goes with a draw. -#}
{% macro department(department_draw) -%}
  case
    when {{ department_draw }} < 3000 then 'Operations'
    when {{ department_draw }} < 5200 then 'Technology'
    when {{ department_draw }} < 7400 then 'Sales'
    when {{ department_draw }} < 8700 then 'Customer Service'
    when {{ department_draw }} < 9500 then 'Finance'
    else 'Human Resources'
  end
{%- endmacro %}
