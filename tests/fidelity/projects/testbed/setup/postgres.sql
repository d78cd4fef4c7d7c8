-- What the sources read and no dbt command makes, and the role that grants name.
do $$ begin create role testbed_reader; exception when duplicate_object then null; end $$;
do $$ begin create role "Testbed Writer"; exception when duplicate_object then null; end $$;
create schema raw_external;
create table raw_external.plain_events (id integer primary key, kind varchar default 'none');
insert into raw_external.plain_events values (1, 'a'), (2, 'b');
create table raw_external."Odd Table %" ("Big Id" integer);
insert into raw_external."Odd Table %" values (1), (2);
create view raw_external.a_view as select count(*) as n from raw_external.plain_events;
create table raw_external.atlas_events (id integer);
insert into raw_external.atlas_events values (1), (2), (3);
