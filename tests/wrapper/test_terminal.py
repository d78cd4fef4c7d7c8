"""What people see on a terminal: colours, folded lines, codes explained; and one document with --json."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from support import DbtProject
from wrapper.conftest import COMMAND, Cli, processes_of, wait_until

pytestmark = pytest.mark.duckdb
GREEN_OK, RED_ERROR = "\x1b[32mOK\x1b[0m", "\x1b[31mERROR\x1b[0m"
SLOW = (
    "{{ config(materialized='table') }}\n"
    "select sum(hash(a.range * b.range)) as n, count(*) as amount, 'x' as name from range(3000000) a, "
    "range(3000000) b where exists (select 1 from {{ ref('raw_orders') }})\n"
)


def on_a_terminal(
    cli: Cli, project: DbtProject, *arguments: str, env: Mapping[str, str] | None = None, columns: int = 80
) -> str:
    """Returns what a terminal gets to see of a command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {**cli.variables(), "TERM": "xterm", **(env or {})}
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "DBT_USE_COLORS"):
        if name not in (env or {}):
            variables.pop(name, None)
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=project.folder,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # the terminal is closed
        while chunk := os.read(ours, 65536):
            seen += chunk
    process.wait(60)
    os.close(ours)
    return seen.decode("utf-8", "replace").replace("\r\n", "\n")


def lines_of(text: str) -> list[str]:
    """Returns the lines of a terminal as they stay there, without colours and the live line."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    return [line.rpartition("\r")[2] for line in plain.split("\n")]


def test_nodes_are_green_and_red_on_a_terminal_of_80_columns(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}"})
    seen = on_a_terminal(cli, shop, "ensure")
    assert seen.count(GREEN_OK) == 2
    assert seen.count(RED_ERROR) == 1
    assert "\x1b[31mError:\x1b[0m" in seen
    lines = lines_of(seen)
    assert any(line.startswith("3 of 5 ERROR model main.orders ...") for line in lines), lines
    assert max(map(len, lines)) <= 80, lines
    assert any(line.endswith("explain selfheal-column-missing") for line in lines)
    for arguments, env in (
        (["ensure", "--force"], {"NO_COLOR": "1"}),
        (["ensure", "--force", "--no-use-colors"], {"FORCE_COLOR": "1"}),
    ):
        seen = on_a_terminal(cli, shop, *arguments, env=env)
        assert "ERROR model main.orders" in seen
        assert "\x1b[31m" not in seen
        assert "\x1b[32m" not in seen


def test_a_command_to_paste_is_one_line_however_long(cli: Cli, shop: DbtProject) -> None:
    names = [f"raw_measurements_of_the_department_{number}" for number in range(4)]
    shop.write({f"seeds/{name}.csv": "id\n1\n" for name in names})
    reads = " union all ".join(f"select * from {{{{ ref('{name}') }}}}" for name in names)
    shop.write({"models/wide.sql": reads})
    shop.configure(vars={"dbt_selfheal": {"on_missing": "fail", "timeout_seconds": 200}})
    command = f"dbt build --select {' '.join(names)}"
    run = ("exec", "--", "dbt", "run", "-s", "wide", "--log-level", "none")
    piped = cli(shop, *run, env={"COLUMNS": "80"}, code=7)
    for output in (piped.stderr, on_a_terminal(cli, shop, *run)):
        assert any(line.strip() == command for line in lines_of(output)), output
    plan = cli(shop, "plan", "-s", "wide", env={"COLUMNS": "80"})
    assert f"Build them with: {command} wide" in plan.stdout.splitlines(), plan.stdout


def test_colours_are_left_out_of_files_unless_they_are_asked_for(cli: Cli, shop: DbtProject) -> None:
    assert "\x1b" not in cli(shop, "ensure", "-s", "raw_orders").output
    colored = cli(shop, "ensure", "-t", "nowhere", "--use-colors", code=7).stderr
    assert "\x1b[31mError:\x1b[0m" in colored
    for env, expected in (
        ({"FORCE_COLOR": "1", "DBT_USE_COLORS": "", "NO_COLOR": ""}, True),
        ({"FORCE_COLOR": "1", "DBT_USE_COLORS": "0", "NO_COLOR": ""}, False),
    ):
        result = cli(shop, "ensure", "-t", "nowhere", code=7, env=env)
        assert ("\x1b[31mError:" in result.stderr) is expected


def test_nodes_that_dbt_itself_builds_are_named_when_the_time_is_over(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": SLOW})
    cli(shop, "plan", "-q")  # parsed once, so that the limit is reached inside the model
    result = cli(shop, "ensure", "--threads", "2", "--timeout", "15", code=3)
    assert "while it was building model orders (models/orders.sql)" in result.said
    assert re.search(r"\d of 5 ERROR model main\.orders", result.stderr)


def test_a_time_limit_of_a_supervised_dbt_ends_it_quietly(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": SLOW})
    cli(shop, "plan", "-q")
    result = cli(shop, "exec", "--timeout", "15", "--", "dbt", "run", "-s", "report", code=3)
    assert "while it was building model orders (models/orders.sql)" in result.said
    assert "resource_tracker" not in result.output
    assert not processes_of(shop.folder)


def test_ctrl_c_ends_a_supervised_dbt_with_130(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": SLOW})
    process = cli.start(shop, "exec", "--", "dbt", "run", "-s", "report")
    log = shop.folder / "logs" / "dbt.log"
    wait_until(lambda: log.exists() and "START table model" in log.read_text(), 120)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "resource_tracker" not in stderr
    attempts = shop.folder / "target" / "dbt_selfheal" / "attempts.jsonl"
    assert not attempts.exists(), "it is no attempt that failed"


def test_exec_prints_one_document_whatever_the_command_prints(cli: Cli, shop: DbtProject) -> None:
    built = cli(shop, "exec", "--json", "--", "dbt", "run", "-s", "orders")
    assert json.loads(built.stdout)["exit_code"] == 0
    assert sorted(built.document["tables_created"]) == ["raw_customers", "raw_orders"]
    assert "Completed successfully" in built.said
    listed = cli(shop, "exec", "--json", "--", "dbt", "ls")
    assert json.loads(listed.stdout)["exit_code"] == 0
    assert "shop.orders" in listed.stderr
    failed = cli(shop, "exec", "--json", "-t", "nowhere", "--", "dbt", "run", code=7)
    assert failed.error["code"] == "selfheal-target-missing"
    unknown = cli(shop, "exec", "--json", "--", "dbt", "run", "--no-such-option", code=2)
    assert json.loads(unknown.stdout)["exit_code"] == 2


def test_wrong_settings_end_a_supervised_dbt_with_7(cli: Cli, shop: DbtProject) -> None:
    shop.configure(vars={"dbt_selfheal": {"requird": ["orders"]}})
    result = cli(shop, "exec", "--", "dbt", "run", code=7)
    assert "Did you mean: required?" in result.said
    assert "selfheal-setting-wrong" in result.stderr
    shop.configure(vars={"dbt_selfheal": {"timeout_seconds": 200}})
    (shop.folder / "seeds/raw_orders.csv").write_text("")
    assert "selfheal-seed-empty" in cli(shop, "exec", "--", "dbt", "run", code=7).stderr


def test_explain_says_what_a_code_means(cli: Cli, shop: DbtProject) -> None:
    explained = cli(shop, "explain", "selfheal-source-missing").stdout
    for part in ("exit code 1", "Why:", "What to do:", "For example:"):
        assert part in explained
    assert cli(shop, "explain", "source-missing").stdout == explained
    everything = cli(shop, "explain").stdout
    assert everything.count("\nselfheal-") > 50
    wrong = cli(shop, "explain", "source-mising", code=2)
    assert "Did you mean selfheal-source-missing" in wrong.said


@pytest.mark.parametrize("typed", ["selfheal-source", "source-m"])
def test_the_shell_completes_codes(typed: str) -> None:
    import sys

    done = subprocess.run(
        [Path(sys.executable).with_name("dbt-selfheal")],
        env={
            **os.environ,
            "_DBT_SELFHEAL_COMPLETE": "bash_complete",
            "COMP_WORDS": f"dbt-selfheal explain {typed}",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,selfheal-source-missing" in done.stdout
