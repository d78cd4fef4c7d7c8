"""The warm check never says ready when a required table is missing or a project file changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dbt_selfheal.warm.check import WarmCheck
from dbt_selfheal.warm.fingerprint import environment_names
from dbt_selfheal.workspace.dbt import Options
from dbt_selfheal.workspace.project import read_workspace

FILES = {
    "dbt_project.yml": "name: shop\nprofile: shop\nversion: 1.0.0\n",
    "packages.yml": "packages: []\n",
    "profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n"
    "      path: \"{{ env_var('SHOP_FILE', 'shop.duckdb') }}\"\n"
    "    other: {type: duckdb, path: other.duckdb}\n",
    "seeds/raw.csv": "id\n1\n",
    "seeds/nested/more.csv": "id\n1\n",
    "models/orders.sql": "select * from {{ ref('raw') }} where x = '{{ env_var(\"SHOP_X\", \"1\") }}'\n",
    "models/orders.yml": "models: [{name: orders}]\n",
    "macros/m.sql": "{% macro m() %}{% endmacro %}\n",
    "snapshots/s.sql": "{% snapshot s %}select 1 as id{% endsnapshot %}\n",
    "dbt_packages/tools/dbt_project.yml": "name: tools\nmacro-paths: [code]\n",
    "dbt_packages/tools/code/t.sql": "{% macro t() %}{% endmacro %}\n",
    "tests/t.sql": "select 1 where false\n",
}
RELATIONS = {"raw": "table", "orders": "view", "extra": "table"}
NODES = [
    {"unique_id": f"model.shop.{name}", "kind": "model", "database": "shop", "schema": "main", "name": name}
    for name in RELATIONS
]
REQUIRED = ["model.shop.raw", "model.shop.orders"]


class Warm:
    """A workspace without dbt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path, content in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        self.execute("create table raw as select 1 as id", "create view orders as select * from raw")
        self.execute("create table extra as select 1 as id")

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def check(self, **options: Any) -> WarmCheck:
        return WarmCheck(
            read_workspace(Options(project_dir=str(self.folder), profiles_dir=str(self.folder), **options))
        )

    def record(self) -> bool:
        time.sleep(0.03)  # changes within one tick of the file system's clock are not trusted
        check = self.check()
        check.observe()
        return check.record(NODES, REQUIRED)


@pytest.fixture(autouse=True)
def _in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the profile's path is relative


@pytest.fixture
def warm(tmp_path: Path) -> Warm:
    """A ready workspace with a record."""
    found = Warm(tmp_path)
    assert found.record()
    assert found.check().is_ready()
    return found


def test_it_is_not_ready_without_a_record(tmp_path: Path) -> None:
    assert not Warm(tmp_path).check().is_ready()


@pytest.mark.parametrize("name", RELATIONS)
def test_it_is_not_ready_when_a_relation_was_dropped(warm: Warm, name: str) -> None:
    warm.execute(f"drop {RELATIONS[name]} {name}")
    assert not warm.check().is_ready()


def test_it_is_not_ready_when_a_relation_became_another_kind(warm: Warm) -> None:
    warm.execute("drop view orders", "create table orders as select 1 as id")
    assert not warm.check().is_ready()


def test_with_a_node_in_another_database_nothing_is_certain(warm: Warm) -> None:
    elsewhere = {
        "unique_id": "model.shop.far",
        "kind": "model",
        "database": "lake",
        "schema": "main",
        "name": "far",
    }
    check = warm.check()
    check.observe()
    assert not check.record([*NODES, elsewhere], REQUIRED)
    assert not warm.check().is_ready()


def test_a_computed_name_of_a_variable_is_not_taken_for_a_plain_one(tmp_path: Path) -> None:
    file = tmp_path / "m.sql"
    file.write_text("{{ env_var('SCHEMA_' ~ target.name) }}")
    assert environment_names([str(file)]) is None
    file.write_text("{{ env_var('SCHEMA' , 'x') }} {{ env_var(\"OTHER\") }}")
    assert environment_names([str(file)]) == ["OTHER", "SCHEMA"]


def test_a_relative_path_starts_at_the_working_directory(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for dbt: another file is another database."""
    (warm.folder / "elsewhere").mkdir()
    monkeypatch.chdir(warm.folder / "elsewhere")
    assert not warm.check().is_ready()


def test_it_is_not_ready_when_the_database_is_gone(warm: Warm) -> None:
    (warm.folder / "shop.duckdb").unlink()
    assert not warm.check().is_ready()
    assert not (warm.folder / "shop.duckdb").exists(), "the check makes no database"


@pytest.mark.parametrize("path", FILES)
def test_it_is_not_ready_when_a_file_was_edited(warm: Warm, path: str) -> None:
    file = warm.folder / path
    before = file.stat()
    file.write_text(FILES[path].replace("1", "2") if "1" in FILES[path] else FILES[path] + "\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as some tools do
    assert not warm.check().is_ready()


@pytest.mark.parametrize("path", [path for path in FILES if path not in ("dbt_project.yml", "profiles.yml")])
def test_it_is_not_ready_when_a_file_was_deleted(warm: Warm, path: str) -> None:
    (warm.folder / path).unlink()
    assert not warm.check().is_ready()


@pytest.mark.parametrize(
    "path",
    ["seeds/new.csv", "models/deep/down/new.sql", "analyses/a.sql", "dependencies.yml", "selectors.yml",
     "dbt_packages/new/dbt_project.yml", "dbt_packages/tools/code/new.sql", "functions/f.sql"],
)  # fmt: skip
def test_it_is_not_ready_when_a_file_was_added(warm: Warm, path: str) -> None:
    (warm.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (warm.folder / path).write_text("x: 1\n")
    assert not warm.check().is_ready()


def test_files_that_dbt_does_not_read_do_not_matter(warm: Warm) -> None:
    (warm.folder / "README.md").write_text("hello")
    (warm.folder / "logs").mkdir()
    (warm.folder / "logs" / "dbt.log").write_text("hello")
    assert warm.check().is_ready()


@pytest.mark.parametrize("name", ["SHOP_X", "DBT_ANYTHING", "DBT_ENV_SECRET_X"])
def test_it_is_not_ready_when_an_environment_variable_changed(
    warm: Warm, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("UNRELATED", "1")
    assert warm.check().is_ready()
    monkeypatch.setenv(name, "2")
    assert not warm.check().is_ready()


def test_the_record_keeps_no_value_of_an_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_X", "planted-secret-value")
    assert Warm(tmp_path).record()
    for file in (tmp_path / "target").rglob("*"):
        assert file.is_dir() or "planted-secret-value" not in file.read_text()


@pytest.mark.parametrize("options", [{"target": "other"}, {"vars": "{year: 2026}"}])
def test_another_target_or_other_variables_are_another_workspace(warm: Warm, options: dict[str, str]) -> None:
    assert not warm.check(**options).is_ready()


@pytest.mark.parametrize(
    "prepare",
    [
        lambda w: w.execute("drop view orders"),
        lambda w: (w.folder / "models/x.sql").write_text("{{ env_var(name) }}") and None,
    ],
    ids=["required-missing", "computed-variable"],
)
def test_nothing_is_claimed_that_was_not_so(tmp_path: Path, prepare: Callable[[Warm], None]) -> None:
    found = Warm(tmp_path)
    prepare(found)
    if found.record():
        os.environ["SOMETHING_NEW"] = "1"
        try:
            assert not found.check().is_ready(), "with a computed name any variable may matter"
        finally:
            del os.environ["SOMETHING_NEW"]


def test_a_change_while_dbt_runs_is_noticed(tmp_path: Path) -> None:
    found = Warm(tmp_path)
    time.sleep(0.03)
    check = found.check()
    check.observe()
    (found.folder / "models/orders.sql").write_text("select 2")
    assert not check.record(NODES, REQUIRED)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 99}'])
def test_a_damaged_record_is_no_record(warm: Warm, content: str) -> None:
    for file in (warm.folder / "target" / "dbt_selfheal").glob("ready-*"):
        file.write_text(content)
    assert not warm.check().is_ready()


def test_it_works_beside_a_connection_of_the_same_process(warm: Warm) -> None:
    with duckdb.connect(str(warm.folder / "shop.duckdb")) as connection:
        assert warm.check().is_ready()
        connection.execute("drop table extra")
        assert not warm.check().is_ready()


def test_functions_and_migrations_are_left_to_dbt(tmp_path: Path) -> None:
    found = Warm(tmp_path)
    time.sleep(0.03)
    check = found.check()
    check.observe()
    assert not check.record([*NODES, {"unique_id": "migrations", "kind": "function"}], REQUIRED)


def test_a_model_in_a_folder_with_a_computed_name_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = Warm(tmp_path)
    monkeypatch.setenv("SHOP_MODELS", "code")
    project = FILES["dbt_project.yml"] + "model-paths: [\"{{ env_var('SHOP_MODELS') }}\"]\n"
    (tmp_path / "dbt_project.yml").write_text(project)
    (tmp_path / "models").rename(tmp_path / "code")
    assert warm.record()
    assert warm.check().is_ready()
    (tmp_path / "code" / "orders.sql").write_text("select 2 as id")
    assert not warm.check().is_ready()
