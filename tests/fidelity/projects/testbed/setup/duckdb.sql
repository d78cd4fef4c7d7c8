-- What the sources read and no dbt command makes. The harness runs it with the second database attached as aux.
create schema raw_external;
create table raw_external.plain_events (id integer primary key, kind varchar default 'none');
insert into raw_external.plain_events values (1, 'a'), (2, 'b');
create table raw_external."Odd Table %" ("Big Id" integer);
insert into raw_external."Odd Table %" values (1), (2);
create view raw_external.a_view as select count(*) as n from raw_external.plain_events;
create table raw_external.atlas_events (id integer);
insert into raw_external.atlas_events values (1), (2), (3);
create schema aux.lake;
create table aux.lake.drops (id integer, word varchar);
insert into aux.lake.drops values (1, 'first'), (2, 'second');
