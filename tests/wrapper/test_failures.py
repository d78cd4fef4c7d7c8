"""What goes wrong has the right exit code, a remedy in its text, and loses nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import DbtProject, DuckDbDatabase
from wrapper.conftest import SHOP, SHOP_NAMES, Cli

pytestmark = pytest.mark.duckdb


def database_file(project: DbtProject) -> Path:
    """Returns the file of a project's database."""
    database: Any = project.database
    path: Path = database.path
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes; skipped where this user may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["random", "text", "cut off", "header only"])
@pytest.mark.promise("A damaged database file")
def test_a_damaged_database_is_recognized_and_kept_and_recreate_helps(
    cli: Cli, shop: DbtProject, kind: str
) -> None:
    file = database_file(shop)
    if kind in ("random", "text"):
        file.write_bytes(os.urandom(50_000) if kind == "random" else b"this is no database " * 1000)
    else:
        with duckdb.connect(str(file)) as connection:
            connection.execute("create table t as select range as i from range(1000000)")
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if kind == "cut off" else whole[:12288])
    content = file.read_bytes()
    result = cli(shop, "ensure", code=5)
    assert "dbt-selfheal recreate" in result.said
    assert cli(shop, "exec", "--", "dbt", "run", code=5).stdout == "", "dbt is not even started"
    assert file.read_bytes() == content
    refused = cli(shop, "recreate", code=1)
    assert "aside?" in refused.stderr
    assert file.exists()
    moved = cli(shop, "recreate", "--yes", "--json").document["moved"]
    assert Path(moved[0]).read_bytes() == content
    assert not file.exists()
    if kind == "random":
        assert cli(shop, "ensure", "--json").document["state"] == "completed"


def test_recreate_moves_the_write_ahead_log_too(cli: Cli, shop: DbtProject) -> None:
    file = database_file(shop)
    file.write_bytes(b"database")
    Path(f"{file}.wal").write_bytes(b"log")
    moved = [Path(path) for path in cli(shop, "recreate", "-y", "--json").document["moved"]]
    assert [path.read_bytes() for path in moved] == [b"database", b"log"]
    assert moved[1].name == f"{moved[0].name}.wal"


def test_a_newer_format_is_not_taken_for_damage(cli: Cli, shop: DbtProject) -> None:
    file = database_file(shop)
    duckdb.connect(str(file)).close()
    content = bytearray(file.read_bytes())
    content[12:14] = (9999).to_bytes(2, "little")  # the version of the storage format
    file.write_bytes(content)
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect(str(file))
    checksum = re.search(r"computed checksum (\d+)", str(caught.value))
    if checksum:  # of the header, which newer versions have
        content[:8] = int(checksum[1]).to_bytes(8, "little")
        file.write_bytes(content)
    result = cli(shop, "ensure", code=1)
    assert "pip install --upgrade duckdb" in result.said


def test_a_file_kept_open_by_another_process_is_reported_with_its_pid(cli: Cli, shop: DbtProject) -> None:
    file = database_file(shop)
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdout.readline()
    try:
        result = cli(shop, "ensure", "--lock-timeout", "0.2", code=1)
        assert f"process {other.pid}" in result.said
        waiting = cli.start(shop, "ensure")
        assert waiting.stderr is not None
        lines = iter(waiting.stderr.readline, "")
        assert any(f"kept open by process {other.pid}" in line for line in lines)
    finally:
        other.stdin.close()
        other.wait()
    waiting.communicate()
    assert waiting.returncode == 0, "it waits until the other process is done"


@pytest.mark.promise("Found before anything is built")
def test_too_little_disk_space_is_found_before_anything_is_built(
    cli: Cli, make_project: Callable[..., DbtProject], small_disk: Path
) -> None:
    project = make_project(SHOP, database=DuckDbDatabase(small_disk))
    result = cli(project, "ensure", code=6)
    assert "MB free" in result.said
    assert "--min-free-mb" in result.stderr
    assert not database_file(project).exists()


def test_too_little_disk_space_is_found_when_the_hook_of_dbt_begins_to_heal(
    cli: Cli, shop: DbtProject
) -> None:
    cli(shop, "ensure")
    shop.drop("orders")
    result = cli(shop, "exec", "--min-free-mb", "1000000000", "--", "dbt", "run", "-s", "report", code=6)
    assert " free in " in result.said
    assert "needs 1000 TB" in result.said
    assert "orders" not in shop.names()


def test_a_disk_that_runs_full_loses_nothing(
    cli: Cli, make_project: Callable[..., DbtProject], small_disk: Path
) -> None:
    project = make_project(SHOP, database=DuckDbDatabase(small_disk))
    fine = project.folder / "models/orders.sql"
    good = fine.read_text()
    project.write(
        {
            "models/orders.sql": "{{ config(materialized='table') }} select hash(range * 7) as id, "
            "hash(range * 3) as amount, md5(range::varchar) as name from range(3000000) "
            "where exists (select 1 from {{ ref('raw_orders') }})"
        }
    )
    result = cli(project, "ensure", "--min-free-mb", "0", code=6)
    assert "What to do: Free some space" in result.said
    assert "orders" not in project.names()
    fine.write_text(good)
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert cli(project, "ensure", "--min-free-mb", "0", "--json").document["state"] == "completed"
    assert project.names() == SHOP_NAMES


def test_a_read_only_folder_is_reported(
    cli: Cli, make_project: Callable[..., DbtProject], small_disk: Path
) -> None:
    project = make_project(SHOP, database=DuckDbDatabase(small_disk))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    result = cli(project, "ensure", code=1)
    assert "cannot be written to" in result.said
    assert "What to do:" in result.said


def test_a_missing_folder_of_the_database_is_made(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="data/deep/warehouse.duckdb")
    assert cli(shop, "ensure", "--json", "-s", "raw_orders").document["state"] == "completed"
    assert (shop.folder / "data/deep/warehouse.duckdb").exists()


def _break(project: DbtProject, kind: str) -> list[str]:
    """Breaks the configuration; returns more arguments."""
    folder = project.folder
    profile = (folder / "profiles.yml").read_text()
    if kind == "no project":
        (folder / "dbt_project.yml").unlink()
    elif kind == "no profiles":
        (folder / "profiles.yml").unlink()
        return ["--profiles-dir", str(folder / "nowhere")]
    elif kind == "no profile":
        return ["--profile", "nobody"]
    elif kind == "no target":
        return ["--target", "prod"]
    elif kind == "bad yaml":
        (folder / "dbt_project.yml").write_text("name: shop\n  profile: [")
    elif kind == "no variable":
        (folder / "profiles.yml").write_text(
            profile.replace("schema: main", "schema: \"{{ env_var('NO_SUCH') }}\"")
        )
    elif kind == "no package":
        (folder / "dbt_packages" / "dbt_selfheal").unlink()
    elif kind == "no adapter":
        (folder / "profiles.yml").write_text(profile.replace("type: duckdb", "type: snowflake"))
    elif kind == "no seed":
        project.write({"seeds/seeds.yml": "seeds:\n  - name: gone\n"})
        project.configure(vars={"dbt_selfheal": {"required": ["gone"]}})
    return []


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("no project", ["dbt_project.yml", "--project-dir"]),
        ("no profiles", ["there is no profiles.yml in", "/nowhere (--profiles-dir)"]),
        ("no profile", ["'nobody'", "it has: shop"]),
        ("no target", ["'prod'", "it has: dev"]),
        ("bad yaml", ["dbt_project.yml:2"]),
        ("no variable", ["NO_SUCH", "outputs.dev.schema", "export NO_SUCH="]),
        ("no package", ["Run: dbt deps"]),
        ("no adapter", ["pip install dbt-snowflake", "outputs.dev.type"]),
        ("no seed", ["gone.csv is missing", "seeds/gone.csv"]),
    ],
)
@pytest.mark.promise("Say what to do")
def test_what_is_missing_is_named_with_file_and_key(
    cli: Cli, shop: DbtProject, kind: str, texts: list[str]
) -> None:
    arguments = _break(shop, kind)
    result = cli(shop, "ensure", "--json", *arguments, code=7)
    assert result.seconds < 10, "dbt is not started for it"
    for text in texts:
        assert text in result.said, result.stderr
    assert (result.envelope["exit_code"], result.envelope["success"]) == (7, False)
    assert result.error["remedy"]


@pytest.mark.parametrize(
    ("files", "code", "expected"),
    [
        ({"models/orders.sql": "selec 1"}, 1, "syntax-error"),
        ({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}"}, 1, "column-missing"),
        ({"models/orders.sql": "select * from by_hand, {{ ref('raw_orders') }}"}, 1, "relation-missing"),
        ({"models/orders.sql": "select * from {{ ref('no_such') }}"}, 1, "ref-missing"),
        ({"models/orders.sql": "select {{ env_var('NO_SUCH') }} as x"}, 7, "env-var-missing"),
        ({"seeds/raw_orders.csv": "id,amount\n1,2\n3,4,5\n"}, 7, "seed-ragged"),
        ({"seeds/raw_orders.csv": "id,amount\n1,x\n", "seeds/s.yml": "seeds: [{name: raw_orders, config: "
          "{column_types: {amount: integer}}}]"}, 7, "seed-type"),
        ({"models/orders.sql": "{{ config(contract={'enforced': true}) }} select 1 as o",
          "models/s.yml": "models: [{name: orders, columns: [{name: id, data_type: integer}]}]"},
         1, "contract-violated"),
    ],
)  # fmt: skip
def test_an_error_of_dbt_has_its_remedy(
    cli: Cli, shop: DbtProject, files: dict[str, str], code: int, expected: str
) -> None:
    shop.write(files)
    result = cli(shop, "ensure", "--json", code=code)
    assert result.error["code"] == f"selfheal-{expected}", result.envelope
    assert "What to do:" in result.said


def test_no_credential_appears_anywhere(
    cli: Cli, make_project: Callable[..., DbtProject], tmp_path: Path
) -> None:
    project = make_project(SHOP)
    planted = "pl@nted/pass word"
    output = {"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "me", "password": planted}
    output |= {"dbname": "db", "schema": "s", "threads": 1}
    project.write({"profiles.yml": json.dumps({"shop": {"target": "dev", "outputs": {"dev": output}}})})
    log = tmp_path / "events.jsonl"
    results = [
        cli(project, "ensure", "--json", "--log-file", str(log), "--dbt-output", code=1),
        cli(project, "exec", "--log-file", str(log), "--", "dbt", "run", code=2),
    ]
    assert results[0].error["code"] == "selfheal-connection-refused"
    texts = [result.output for result in results] + [log.read_text()]
    texts += [path.read_text(errors="replace") for path in (project.folder / "target").rglob("*.json")]
    for text in texts:
        assert planted not in text
        assert "pl%40nted" not in text


def test_wrong_usage_has_exit_code_2(cli: Cli, shop: DbtProject) -> None:
    for arguments in (["ensure", "--no-such"], ["ensure", "--timeout", "0"], ["exec"], ["nothing"]):
        cli(shop, *arguments, code=2)


def test_a_command_that_does_not_exist_is_reported(cli: Cli, shop: DbtProject) -> None:
    assert (
        "no command"
        in cli(shop, "exec", "--", "no-such-command", code=127, env={"DBT_SELFHEAL_ENABLED": "0"}).stderr
    )
