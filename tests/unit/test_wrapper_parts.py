"""The pure parts of the wrapper: catalogue, scrubbing, options, lock, estimates."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_selfheal.errors import ConcurrentInitializationError, ConfigurationError, InitializationError
from dbt_selfheal.report import remedies
from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.scrub import MASK, Scrubber
from dbt_selfheal.workspace.dbt import Options, find_dbt, heals, option_of, subcommand
from dbt_selfheal.workspace.files import _name_of
from dbt_selfheal.workspace.jinja import render
from dbt_selfheal.workspace.lock import hold, holder
from dbt_selfheal.workspace.project import read_workspace

CATALOGUE = Path(__file__).parents[2] / "seeds" / "remedies.csv"
MESSAGES = {
    "connection-refused": 'connection to server at "127.0.0.1", port 1 failed: Connection refused',
    "authentication": 'FATAL:  password authentication failed for user "me"',
    "permission": "permission denied for schema analytics",
    "database-missing": 'FATAL:  database "shop" does not exist',
    "schema-missing": 'schema "nowhere" does not exist',
    "disk-full": "could not extend file: No space left on device",
    "read-only": "cannot execute CREATE TABLE in a read-only transaction",
    "corrupt-file": 'The file "x.duckdb" exists, but it is not a valid DuckDB database file!',
    "newer-format": "Trying to read a database file with version number 250, but can only read version 67",
    "file-locked": 'Could not set lock on file "/x.duckdb": Conflicting lock is held in python (PID 4711).',
    "seed-type": "Conversion Error: Could not convert string 'x' to INT32",
    "seed-encoding": "'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte",
    "column-missing": 'column "nowhere" does not exist',
    "relation-missing": 'relation "by_hand" does not exist',
    "syntax-error": 'syntax error at or near "selec"',
    "contract-violated": "This model has an enforced contract that failed.",
    "unique-violated": 'duplicate key value violates unique constraint "pk"',
    "not-null-violated": "NOT NULL constraint failed: orders.id",
    "dependency-missing": "dbt could not find a macro with the name 'ensure_initialized' in any package",
    "database-package-missing": "vars.dbt_selfheal.migrations needs the package dbt_selfheal_database, "
    "which is not installed.",
    "profile-missing": "Could not find profile named 'shop'",
    "target-missing": "The profile 'shop' does not have a target named 'prod'.",
    "env-var-missing": "Env var required but not provided: 'X'",
    "timeout": "dbt_selfheal: the time limit of 60 s is over; 3 of 5 missing relations are built and stay.",
    "out-of-memory": "Out of Memory Error: failed to allocate data of size 1 GiB",
    "concurrent": "dbt_selfheal: another initialization is running on schema main",
    "adapter-missing": "Could not find adapter type snowflake!",
}


@pytest.mark.parametrize("code", MESSAGES)
def test_the_catalogue_knows_the_databases_own_messages(code: str) -> None:
    found = remedies.find(MESSAGES[code])
    assert found is not None
    assert found.code == code
    assert found.what_to_do
    assert "{" not in found.what_to_do


def test_the_pid_of_the_process_that_locks_a_file_is_named() -> None:
    found = remedies.find(MESSAGES["file-locked"])
    assert found is not None
    assert "4711" in found.what_happened
    assert "4711" in found.what_to_do


def test_the_command_of_the_process_that_keeps_a_file_open_is_one_short_line() -> None:
    script = "import time\n\nprint('begun', flush=True)\ntime.sleep(60)  # " + "x" * 200
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        shown = _name_of(process.pid)
        process.kill()
    assert "\n" not in shown
    assert "-c import time print(" in shown
    assert len(shown) <= 64


def test_every_entry_of_the_catalogue_is_complete() -> None:
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["code", "adapters", "pattern", "what_happened", "what_to_do"]
    for row in rows:
        assert row["code"]
        assert row["what_happened"]
        assert row["what_to_do"]
        re.compile(row["pattern"])
        groups = set(re.compile(row["pattern"]).groupindex)
        known = {g.rstrip("0123456789") for g in groups} | {
            "project_dir", "profiles_file", "profile", "target", "adapter", "database_file",
            "database_folder", "target_path", "path",
        }  # fmt: skip
        for text in (row["what_happened"], row["what_to_do"]):
            assert set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)) <= known, row


@given(st.text(min_size=6).filter(lambda text: MASK not in text and text.strip("*")), st.text(), st.text())
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Scrubber({"password": secret})(f"{before}{secret}{after}").replace(MASK, "")


def test_a_secret_of_several_lines_is_masked_line_by_line_and_in_json() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\nabc\n-----END PRIVATE KEY-----\n"
    scrub = Scrubber({"private_key": key})
    assert scrub("  MIIEvQIBADANBgkq") == f"  {MASK}"
    assert scrub(f"bad key: hkiG9w0BAQEFAASC, {json.dumps(key)}") == f'bad key: {MASK}, "{MASK}"'
    assert scrub("abc") == "abc"


def test_secrets_are_masked_where_they_stand_and_other_words_stay() -> None:
    scrub = Scrubber({"type": "postgres", "user": "dbt", "pass": "dbt", "secrets": [{"secret": "s3cr3t!"}]})
    assert scrub("dbt run, dbt_selfheal") == f"{MASK} run, dbt_selfheal"
    assert scrub("key s3cr3t! url postgresql://me:hunter2@host/db password=abc") == (
        f"key {MASK} url postgresql://me:{MASK}@host/db password={MASK}"
    )
    assert scrub("password authentication failed") == "password authentication failed"
    awkward = Scrubber({"encryption_key": 'k"e\\yö'})
    assert awkward.document({"sql": ['set k = "k"e\\yö"', 1]}) == {"sql": [f'set k = "{MASK}"', 1]}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("run -s a", "run"),
        ("--project-dir x run", "run"),
        ("--no-use-colors -t dev build", "build"),
        ("--version", None),
        ("--target=prod docs generate", "docs"),
    ],
)
def test_the_command_of_dbt_is_found(line: str, command: str | None) -> None:
    assert subcommand(line.split()) == command


def test_options_of_dbt_are_found_in_either_spelling() -> None:
    assert option_of(["run", "--target", "a"], "--target", "-t") == "a"
    assert option_of(["run", "-t", "b"], "--target", "-t") == "b"
    assert option_of(["run", "--target=c"], "--target", "-t") == "c"
    assert option_of(["run", "--target-path", "x"], "--target", "-t") is None


def test_only_commands_that_heal_are_supervised() -> None:
    assert heals(["run", "-s", "x"])
    assert heals(["run-operation", "ensure_initialized"])
    for line in (
        ["ls"],
        ["compile"],
        ["run", "--help"],
        ["docs", "generate"],
        ["run-operation", "other"],
        [],
    ):
        assert not heals(line)


def test_a_held_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with hold(path, 0):
        with pytest.raises(ConcurrentInitializationError) as caught, hold(path, 0):
            pass
        assert caught.value.lock_file == path
        assert re.search(r"process \d+ on \S+, since \d{4}-", str(caught.value))
    with hold(path, 0) as release:
        release()
        with hold(path, 0):
            pass
    assert path.exists(), "a lock file that is deleted can be held twice"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_lock_file_with_other_content_has_an_unknown_holder(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.lock").write_text(content)
    assert holder(tmp_path / "x.lock") is None


def test_the_remaining_time_is_learnt_from_earlier_runs(tmp_path: Path) -> None:
    durations = Durations(tmp_path)
    assert durations.expected(["a", "b"]) is None
    durations.learn("a", 10.0)
    durations.learn("b", 2.0)
    durations.save()
    again = Durations(tmp_path)
    assert again.expected(["a", "b"]) == 12.0
    assert again.expected(["a", "b"], threads=4) == 3.0
    assert again.expected(["a", "b", "new"]) == 18.0
    assert again.expected([]) == 0.0


def test_an_unknown_error_still_has_a_remedy() -> None:
    assert InitializationError("x").remedy is None
    assert "logs/dbt.log" in remedies.UNKNOWN


@pytest.mark.parametrize(
    "head",
    [
        "#!{python}\n",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n",
        '#!/bin/sh\n\'\'\'exec\' "{python}" "$0" "$@"\n',
        "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n",
    ],
)
def test_the_python_of_a_dbt_is_found_in_its_first_lines(tmp_path: Path, head: str) -> None:
    """As pip and uv write them: a path that is long or has spaces cannot stand in the first line."""
    python = "/home/ada/.venv/bin/python3"
    if '"{' in head or "'{" in head:
        python = "/home/ada/My python projects/.venv/bin/python3"
    command = tmp_path / "dbt"
    command.write_text(head.format(python=python) + "import sys\n")
    assert find_dbt(str(command)).python == python


def write_workspace(folder: Path) -> None:
    """Writes a project with paths from variables, and a profile with two targets and helpers of dbt."""
    (folder / "dbt_project.yml").write_text(
        "name: shop\nprofile: shop\nmodel-paths: [\"{{ env_var('SHOP_MODELS', 'models') }}\"]\n"
        "packages-install-path: \"{{ env_var('SHOP_PACKAGES', 'dbt_packages') }}\"\n"
    )
    (folder / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: dev.duckdb}\n"
        "    prod: {type: duckdb, path: \"{{ modules.re.sub('[^a-z]', '', 'P-prod') }}.duckdb\"}\n"
    )


def test_the_workspace_is_that_of_dbts_own_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path)
    options = Options(project_dir=str(tmp_path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    assert read_workspace(options).target == "dev"
    monkeypatch.setenv("DBT_TARGET", "nowhere")
    monkeypatch.setenv("DBT_ENGINE_TARGET", "prod")
    found = read_workspace(options)
    assert found.target == "prod", "dbt 1.11 prefers the newer name"
    assert found.output["path"] == "prod.duckdb"


def test_paths_of_the_project_are_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path)
    monkeypatch.setenv("SHOP_PACKAGES", "vendor")
    found = read_workspace(Options(project_dir=str(tmp_path), profiles_dir=str(tmp_path)))
    assert found.packages_folder == tmp_path / "vendor"
    assert found.project["model-paths"] == ["models"]


def test_whatever_a_template_raises_is_an_error_that_names_the_place() -> None:
    with pytest.raises(ConfigurationError, match=r"the template in profiles\.yml: shop is wrong"):
        render("{{ 1 + 'a' }}", {}, "profiles.yml: shop")
