select 3 as id, 'borealis' as package
