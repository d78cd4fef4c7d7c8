{# a view by the package's own project file, a table by the root's #}
select r.*, b.unit from {{ ref('atlas_reads_same_name') }} as r cross join {{ ref('borealis', 'borealis_base') }} as b
