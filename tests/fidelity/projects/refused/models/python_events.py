def model(dbt, session):
    dbt.config(materialized="table")
    return dbt.ref("clean_events").project("id, id * 2 as twice")
