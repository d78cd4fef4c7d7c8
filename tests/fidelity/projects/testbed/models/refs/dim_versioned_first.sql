select 'one' as which, 1 as id
