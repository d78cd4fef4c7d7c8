"""What the suites leave to the adapters to say, as each adapter's own repository does.

What is not said here fails without the package too, and is compared all the same: the commands of a failed
test, and what they left in the database, are as good as those of one that passed.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.simple_seed import seeds as seed_files

# What the default run takes: a class for each kind of command and of node.
SAMPLE = {
    "basic.test_incremental.BaseIncremental",
    "basic.test_singular_tests_ephemeral.BaseSingularTestsEphemeral",
    "hooks.test_run_hooks.BasePrePostRunHooks",
    "unit_testing.test_case_insensitivity.BaseUnitTestCaseInsensivity",
}

# What cannot run: patterns of modules and classes, with the reason.
_MADE_FROM = "a class that the others are made from"
_NO_OWN_SQL = "each adapter has to write its own SQL and options for it, and this one has none"
_NOWHERE = {
    "python_model.test_spark": "only for Spark, and needs its libraries",
    "utils.base_utils": _MADE_FROM,
    "utils.data_types.base_data_type_macro": _MADE_FROM,
    "functions.test_udafs.UDAFBase": _MADE_FROM,
    "constraints.test_constraints.BaseConstraintsColumnsEqual": _MADE_FROM,
    "constraints.test_constraints.BaseContractSqlHeader": _MADE_FROM,
    "functions.test_js_udfs": _NO_OWN_SQL,
    "materialized_view.changes": _NO_OWN_SQL,
    "basic.test_get_catalog_for_single_relation": _NO_OWN_SQL,
    "simple_copy.test_copy_uppercase": "needs a server on port 5432",
}
LEFT_OUT: dict[str, dict[str, str]] = {
    "duckdb": {
        **_NOWHERE,
        "catalog.relation_types": "DuckDB has no materialized views",
        "materialized_view.basic": "DuckDB has no materialized views",
        "grants.*": "DuckDB has no grants",
        "basic.test_docs_generate.*": "expects the name of a user, which DuckDB does not have",
        "column_types.test_column_types.BasePostgresColumnTypes": "PostgreSQL's types",
    },
    "postgres": {**_NOWHERE, "python_model.*": "PostgreSQL has no Python models"},
}


class WithByteOrderMark:
    """The file with a byte order mark that a repository has beside its test."""

    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: Any) -> None:
        project.run_sql(seed_files.seeds__expected_sql)
        content = BOM_UTF8 + seed_files.seed__actual_csv.lstrip().encode()
        Path(project.project_root, "seeds", "seed_bom.csv").write_bytes(content)


class WithFolderToMake:
    """A folder that the test makes and deletes."""

    @pytest.fixture(scope="class")
    def test_data_dir(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("seeds") / "data"


class WithMaterializedViews:
    """How PostgreSQL is asked about materialized views."""

    @staticmethod
    def insert_record(project: Any, table: Any, record: tuple[int, int]) -> None:
        project.run_sql(f"insert into {table} (id, value) values ({record[0]}, {record[1]})")

    @staticmethod
    def refresh_materialized_view(project: Any, materialized_view: Any) -> None:
        project.run_sql(f"refresh materialized view {materialized_view}")

    @staticmethod
    def query_row_count(project: Any, relation: Any) -> int:
        return int(project.run_sql(f"select count(*) from {relation}", fetch="one")[0])

    @staticmethod
    def query_relation_type(project: Any, relation: Any) -> str | None:
        kinds = {"r": "table", "v": "view", "m": "materialized_view"}
        sql = f"select relkind::text from pg_class where oid = to_regclass('{relation}')"
        row = project.run_sql(sql, fetch="one")
        return kinds.get(row[0]) if row else None


class WithDuckDbTypes:
    """DuckDB's names of types, and its words for a value that is null."""

    @pytest.fixture
    def int_type(self) -> str:
        return "INTEGER"

    @pytest.fixture
    def string_type(self) -> str:
        return "VARCHAR"

    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "INTEGER", "INTEGER"],
            ["'1'", "VARCHAR", "VARCHAR"],
            ["true", "bool", "BOOL"],
            ["'2013-11-03 00:00:00-07'::timestamp", "timestamp", "TIMESTAMP"],
            ["'1'::numeric", "numeric", "DECIMAL"],
        ]

    @pytest.fixture(scope="class")
    def expected_error_messages(self) -> list[str]:
        return ["NOT NULL constraint failed"]


class WithDuckDbUnitTestTypes:
    """Values that DuckDB's unit tests can hold."""

    @pytest.fixture
    def data_types(self) -> list[list[Any]]:
        return [
            ["1", "1"],
            ["2.0", "2.0"],
            ["'12345'", "12345"],
            ["true", "true"],
            ["date '2020-01-02'", "2020-01-02"],
            ["timestamp '2013-11-03 00:00:00'", "2013-11-03 00:00:00"],
        ]


_EVERYWHERE: dict[str, type] = {
    "simple_seed.test_seed.BaseSimpleSeedWithBOM": WithByteOrderMark,
    "simple_seed.test_seed.BaseSeedSpecificFormats": WithFolderToMake,
}
_CONSTRAINTS = "constraints.test_constraints."
ADJUSTMENTS: dict[str, dict[str, type]] = {
    "duckdb": {
        **_EVERYWHERE,
        **{
            _CONSTRAINTS + name: WithDuckDbTypes
            for name in (
                "BaseTableConstraintsColumnsEqual",
                "BaseViewConstraintsColumnsEqual",
                "BaseIncrementalConstraintsColumnsEqual",
                "BaseConstraintsRollback",
                "BaseIncrementalConstraintsRollback",
                "BaseModelConstraintsRuntimeEnforcement",
            )
        },
        "unit_testing.test_types.BaseUnitTestingTypes": WithDuckDbUnitTestTypes,
    },
    "postgres": {
        **_EVERYWHERE,
        "materialized_view.basic.MaterializedViewBasic": WithMaterializedViews,
    },
}
