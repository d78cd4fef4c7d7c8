{{ config(materialized='incremental', unique_key='id', database='aux', schema='marts', indexes=[{'columns': ['id'], 'unique': true}]) }}
select id, word from {{ ref('ddb_reads_second') }}
