{{ config(materialized='table') }}
select 'unqualified' as form, package from {{ ref('same_name') }}
union all select 'root by name', package from {{ ref('testbed', 'same_name') }}
union all select 'package', package from {{ ref('atlas', 'same_name') }}
union all select 'package of a package', package from {{ ref('borealis', 'same_name') }}
union all select 'latest', which from {{ ref('dim_versioned') }}
union all select 'version=1', which from {{ ref('dim_versioned', version=1) }}
union all select 'v=2', which from {{ ref('dim_versioned', v=2) }}
union all select 'package and version', which from {{ ref('testbed', 'dim_versioned', version='beta') }}
union all select 'ephemeral version', which from {{ ref('eph_versioned', v=1) }}
union all select 'latest ephemeral', which from {{ ref('eph_versioned') }}
union all select 'no database', name from {{ ref('raw_customers').include(database=false) }}
