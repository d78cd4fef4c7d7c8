{# The users of the workspace: the one table that no model or seed makes. Its first row comes from initial data. #}

{% macro migration__0001__create_users() %}
  create table {{ target.schema }}.users (
    username varchar(50) not null primary key,
    display_name varchar(100),
    password_hash varchar(200)
  );
{% endmacro %}

{% macro rollback__0001__create_users() %}
  drop table {{ target.schema }}.users
{% endmacro %}
