{% macro migration__0001__users() %}
  create table {{ target.schema }}.tenants (slug varchar(50) primary key, name varchar(100) not null);
  create table {{ target.schema }}.users (
    username varchar(50) primary key,
    tenant varchar(50) not null,
    role varchar(20) not null,
    password_hash varchar(200) not null
  );
{% endmacro %}

{% macro rollback__0001__users() %}
  drop table {{ target.schema }}.users;
  drop table {{ target.schema }}.tenants;
{% endmacro %}
