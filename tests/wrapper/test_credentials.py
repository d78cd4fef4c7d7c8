"""Credentials of every adapter are planted in a profile and looked for in all that the command leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from support import ROOT, DbtProject
from wrapper.conftest import SHOP, TIMEOUT, Cli

from dbt_selfheal import AutoInitializer, InitializationError

KEY_LINES = [f"pl4nted+key/line{number}of64+characters" for number in range(4)]
PEM = "\n".join(["-----BEGIN PRIVATE KEY-----", *KEY_LINES, "-----END PRIVATE KEY-----", ""])
WORD, TOKEN, PHRASE = "pl4nted/pass word&1", "pl4nted-token.of.three", "pl4nted-pass-phrase"
FROM_ENVIRONMENT = "pl4nted-in-the-environment"
SERVER = {"host": "127.0.0.1", "port": 1, "user": "{{ env_var('DBT_ENV_SECRET_USER') }}"}
IN_URL = f"postgres://me:{quote(WORD, safe='')}@nowhere.invalid"
# For each adapter of the README's table, and some that are like them.
SNOWFLAKE = {
    "account": "nowhere",
    "host": "127.0.0.1",
    "port": 1,
    "user": SERVER["user"],
    "protocol": "http",
    "database": "db",
}
OUTPUTS: dict[str, dict[str, Any]] = {
    "postgres": {**SERVER, "password": WORD, "dbname": "db"},
    "duckdb": {"path": f"md:shop?motherduck_token={TOKEN}", "secrets": [{"type": "s3", "secret": PHRASE}]},
    "duckdb attach": {
        "type": "duckdb",
        "path": "nowhere/no.duckdb",
        "attach": [{"path": f"postgres:host=127.0.0.1 port=1 password={TOKEN}", "type": "postgres"}],
        "settings": {"s3_secret_access_key": PHRASE},
    },
    "postgres url": {"type": "postgres", **SERVER, "host": IN_URL, "password": PHRASE, "dbname": "db"},
    "redshift": {
        **SERVER,
        "password": WORD,
        "dbname": "db",
        "access_key_id": TOKEN,
        "secret_access_key": PHRASE,
    },
    "snowflake": {
        **SNOWFLAKE,
        "private_key": PEM,
        "private_key_passphrase": PHRASE,
        "login_timeout": 1,
        "connect_timeout": 1,
        "connect_retries": 0,
    },
    "snowflake token": {
        "type": "snowflake",
        **SNOWFLAKE,
        "password": WORD,
        "token": TOKEN,
        "oauth_client_secret": PHRASE,
        "connect_timeout": 1,
    },
    "bigquery": {
        "method": "service-account-json",
        "project": "p",
        "dataset": "s",
        "keyfile_json": {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": TOKEN,
            "private_key": PEM,
            "client_email": "robot@p.iam.gserviceaccount.com",
            "token_uri": "http://127.0.0.1:1/token",
        },
    },
    "databricks": {
        "token": TOKEN,
        "client_secret": PHRASE,
        "host": "127.0.0.1",
        "client_id": SERVER["user"],
        "http_path": "/sql/1",
        "connect_retries": 0,
        "connection_parameters": {"_retry_stop_after_attempts_count": 1, "_socket_timeout": 1},
    },
    "trino": {**SERVER, "method": "ldap", "password": WORD, "database": "db", "http_scheme": "https"},
    "trino jwt": {
        "type": "trino",
        **SERVER,
        "method": "jwt",
        "jwt_token": TOKEN,
        "database": "db",
        "http_headers": {"Authorization": f"Basic {PHRASE}"},
        "http_scheme": "https",
    },
    "clickhouse": {**SERVER, "password": WORD},
    "athena": {
        "s3_staging_dir": "s3://b/",
        "region_name": "eu-west-1",
        "database": "db",
        "aws_access_key_id": TOKEN,
        "aws_secret_access_key": PHRASE,
    },
    "spark": {**SERVER, "method": "thrift", "password": WORD, "token": TOKEN},
}
DBTS_OWN = re.compile(r"^exec |/target/[^/]*$|/logs/")
INSTALLED = ("duckdb", "duckdb attach", "postgres", "postgres url")
OTHERS = {
    name: kind
    for kind in ("snowflake", "bigquery", "databricks", "trino")
    for name in OUTPUTS
    if name.split()[0] == kind
}


def planted() -> set[str]:
    """Returns every form in which one of them would be a leak: whole, by lines, in JSON, in URLs."""
    whole = {PEM, WORD, TOKEN, PHRASE, FROM_ENVIRONMENT}
    found = whole | set(KEY_LINES)
    return {
        form
        for word in found
        for form in (word, json.dumps(word)[1:-1], quote(word, safe=""), quote_plus(word))
    }


def leaks(texts: Iterator[tuple[str, str]]) -> list[str]:
    """Returns where one stands, with what is around it."""
    return [
        f"{name}: ...{text[max(text.index(form) - 200, 0) : text.index(form) + 60]}..."
        for name, text in texts
        for form in planted()
        if form in text
    ]


def left(project: DbtProject, more: Path) -> Iterator[tuple[str, str]]:
    """Yields name and content of all files that the command and dbt have left, the profile apart."""
    for folder in (project.folder, more):
        for path in folder.rglob("*"):
            links = path.is_symlink() or "dbt_packages" in path.parts
            if path.is_file() and not links and path.name != "profiles.yml":
                yield str(path), path.read_bytes().decode(errors="replace")


def planted_in(project: DbtProject, name: str) -> None:
    """Writes the profile of an adapter."""
    output = {"type": name.split()[0], "schema": "s", "threads": 1, **OUTPUTS[name]}
    project.write({"profiles.yml": json.dumps({"shop": {"target": "dev", "outputs": {"dev": output}}})})


def everything_from(
    cli: Cli, project: DbtProject, folder: Path, env: dict[str, str], without: str = ""
) -> list[tuple[str, str]]:
    """Runs the commands, without one, and returns all that they showed and wrote."""
    env = {**env, "DBT_ENV_SECRET_USER": FROM_ENVIRONMENT, "XDG_CACHE_HOME": str(folder / "cache")}
    log, page = str(folder / "events.jsonl"), str(folder / "health.html")
    commands = (
        ("ensure", "--json", "--dbt-output", "--log-file", log),
        ("exec", "--log-file", log, "--", "dbt", "run"),
        ("plan",),
        ("status", "--json"),
        ("health", "--html", page, "--json"),
        ("recreate", "--yes"),
    )
    shown = []
    for command in commands:
        if command[0] == without:
            continue
        process = cli.start(project, *command, env=env)
        output = "".join(process.communicate(timeout=TIMEOUT))
        assert process.returncode not in (0, 2) or command[0] in ("exec", "recreate"), output
        shown.append((" ".join(command), output))
    return [*shown, *left(project, folder)]


@pytest.mark.duckdb
@pytest.mark.both_packages
@pytest.mark.promise("Say what to do")
@pytest.mark.parametrize("name", OUTPUTS)
def test_no_credential_is_shown_or_written(cli: Cli, make_project: Any, name: str, tmp_path: Path) -> None:
    """Of those adapters that are not installed here it is the command that finds that."""
    project = make_project(SHOP)
    planted_in(project, name)
    (tmp_path / "out").mkdir()
    texts = everything_from(cli, project, tmp_path / "out", {})
    assert len(texts) > 6
    if name not in INSTALLED:
        assert "selfheal-adapter-missing" in texts[0][1]
    if name == "postgres url":  # the driver takes it for a host's name, and dbt itself shows its error
        texts = [(title, text) for title, text in texts if not DBTS_OWN.search(title)]
    found = leaks(iter(texts))
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.duckdb
@pytest.mark.parametrize("name", OTHERS)
def test_no_credential_is_shown_or_written_by_the_adapters_themselves(
    cli: Cli, make_project: Any, name: str, tmp_path: Path
) -> None:
    """The drivers' own errors: what they cannot connect to, and keys that are none."""
    dbt = ROOT / ".venv" / OTHERS[name] / "bin" / "dbt"
    if not dbt.exists():
        pytest.skip(f"needs the environment {OTHERS[name]}: scripts/environments {OTHERS[name]}")
    project = make_project(SHOP, config={"vars": {"dbt_selfheal": {"timeout_seconds": 20}}})
    planted_in(project, name)
    (tmp_path / "out").mkdir()
    path = {"PATH": f"{dbt.parent}:/usr/bin:/bin"}
    # The driver of databricks tries for minutes, and nothing limits how long a user's own command connects.
    without = "exec" if name == "databricks" else ""
    env = {**path, "DBT_SELFHEAL_DBT": str(dbt)}
    texts = everything_from(cli, project, tmp_path / "out", env, without)
    assert "selfheal-adapter-missing" not in texts[0][1]
    found = leaks(iter(texts))
    assert not found, "\n".join(found)


@pytest.mark.duckdb
@pytest.mark.parametrize("value", [f"*{TOKEN}", f"!{TOKEN} x", f"'{TOKEN}' x", f"%{TOKEN}", f"{TOKEN}: x: y"])
def test_a_password_that_is_no_yaml_is_not_shown(cli: Cli, shop: DbtProject, value: str) -> None:
    (shop.folder / "profiles.yml").write_text(
        f"shop:\n  target: dev\n  outputs:\n    dev: \n      type: postgres\n      password: {value}\n"
    )
    result = cli(shop, "ensure", "--json", code=7)
    assert "profiles.yml:6" in result.said
    assert TOKEN not in result.output


@pytest.mark.duckdb
def test_what_a_wrong_template_reads_from_the_environment_is_not_shown(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="{{ {}[env_var('KEY')] }}")
    result = cli(shop, "ensure", "--json", code=7, env={"KEY": TOKEN})
    assert result.error["code"] == "selfheal-template-wrong"
    assert TOKEN not in result.output


@pytest.mark.duckdb
def test_a_secret_variable_is_not_kept(cli: Cli, shop: DbtProject) -> None:
    cli(shop, "ensure", "--vars", f"{{api_key: {TOKEN}}}")
    state = shop.folder / "target/dbt_selfheal"
    assert [path.name for path in state.iterdir() if TOKEN in path.read_text()] == []


@pytest.mark.duckdb
def test_the_text_of_an_exception_has_no_credential(
    make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do those that led to it."""
    monkeypatch.setenv("DBT_ENV_SECRET_USER", FROM_ENVIRONMENT)
    project = make_project(SHOP)
    planted_in(project, "postgres url")
    with pytest.raises(InitializationError) as caught:
        AutoInitializer(project.folder, profiles_dir=project.folder).ensure_initialized()
    error: BaseException | None = caught.value
    while error is not None:
        assert leaks(iter([(type(error).__name__, f"{error} {error!r} {vars(error)}")])) == []
        error = error.__cause__ or error.__context__
