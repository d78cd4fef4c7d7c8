create schema raw_things; create table raw_things.things (id integer); insert into raw_things.things values (1), (2);
