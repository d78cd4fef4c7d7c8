"""The fixtures for single macros, tried on macros of dbt itself."""

from __future__ import annotations

import pytest


def test_a_macro_returns_what_it_returns(macro):
    assert macro("should_full_refresh", package="dbt", context={"config": {"full_refresh": True}})() is True


def test_an_unknown_macro_is_named(macro):
    with pytest.raises(LookupError, match=r"macro\.dbt_selfheal\.no_such"):
        macro("no_such")


def test_a_macro_reaches_the_database(macro, adapter):
    rows = macro("run_query", package="dbt")("select 42 as answer")
    assert rows.columns["answer"].values() == (42,)
    adapter.execute("create or replace table found as select 1 as id")
    relation = macro("load_relation", package="dbt")(adapter.Relation.create("memory", "main", "found"))
    assert relation.is_table


@pytest.mark.parametrize("macro_generator", ["macro.dbt.current_timestamp"], indirect=True)
def test_pytest_dbt_core_works_too(macro_generator):
    assert macro_generator().strip() == "now()"
