-- größe first: {{ ref('raw_payments') }} is a parent through this comment alone
/* a block comment;
   with a semicolon */
{# a Jinja comment: {{ ref('no_such_model') }} #}
{{ config(materialized='table') }}
-- and one more
select id, method from {{ ref('raw_payments') }} -- {{ this.identifier }}
