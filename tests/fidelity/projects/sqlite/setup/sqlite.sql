create table loaded_outside (id integer primary key, word text default 'w', amount real);
insert into loaded_outside values (1, 'one', 1.5), (2, null, 2);
