select * from (values (1, 'atlas'), (2, 'atlas')) as t (id, package)
