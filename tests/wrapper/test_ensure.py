"""ensure, plan, status, exec: a workspace becomes ready, and commands run only in one that is."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import DbtProject
from wrapper.conftest import SHOP_NAMES, Cli, processes_of, wait_until


@pytest.fixture
def model_fails(shop: DbtProject) -> DbtProject:
    """A project whose first model cannot be built."""
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}\n"})
    return shop


@pytest.mark.promise("The command")
def test_ensure_builds_what_is_missing_and_then_finds_it(cli: Cli, shop: DbtProject) -> None:
    plan = cli(shop, "plan", "--json").document
    assert {step["name"] for step in plan["steps"]} == SHOP_NAMES
    assert not shop.relations(), "plan builds nothing"
    log = shop.folder / "events.jsonl"
    result = cli(shop, "ensure", "--json", "--log-file", str(log)).document
    assert (result["state"], result["success"], result["way"]) == ("completed", True, "hook")
    assert set(result["tables_created"]) == set(result["missing_tables_found"]) == SHOP_NAMES
    assert shop.names() == SHOP_NAMES
    names = [step["name"] for step in result["steps"]]
    for name in ("preflight", "acquire_lock", "check_tables", "load_seeds", "build_foundation", "verify"):
        assert name in names
    assert all(step["success"] and step["completed_at"] >= step["started_at"] for step in result["steps"])
    events = [json.loads(line) for line in log.read_text().splitlines()]
    done = [event for event in events if event["event"] == "initialization_step_complete"]
    assert {"step_name", "started_at", "completed_at", "duration_seconds", "success"} <= set(done[0])
    status = cli(shop, "status", "--json").document
    assert (status["state"], len(status["required"])) == ("completed", 5)
    again = cli(shop, "ensure", "--json").document
    assert (again["state"], again["tables_created"], again["way"]) == ("completed", [], "warm")


@pytest.mark.parametrize("threads", [[], ["--threads", "2"]], ids=["hook", "native"])
def test_what_was_there_before_is_counted_without_what_has_no_relation(
    cli: Cli, shop: DbtProject, threads: list[str]
) -> None:
    shop.write(
        {"models/totals.sql": "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('orders') }}\n"}
    )
    cli(shop, "ensure")
    shop.drop("report")
    finished = cli(shop, "ensure", *threads)
    assert "1 built, 3 were there before and untouched" in finished.output


@pytest.mark.duckdb
def test_a_native_build_runs_nothing_that_exists(cli: Cli, shop: DbtProject) -> None:
    """A snapshot in a file that is named like the one of the missing model, and DBT_EMPTY, change nothing."""
    shop.write(
        {
            "snapshots/orders.sql": "{% snapshot orders_history %}\n"
            "{{ config(target_schema='main', unique_key='id', strategy='check', check_cols='all') }}\n"
            "select * from {{ ref('raw_orders') }}\n{% endsnapshot %}\n"
        }
    )
    cli(shop, "ensure")
    kept = shop.rows("orders_history")
    shop.execute("update raw_orders set amount = amount + 1")
    shop.drop("orders")
    assert "1 built" in cli(shop, "ensure", "--threads", "2", env={"DBT_EMPTY": "1"}).output
    assert shop.rows("orders_history") == kept
    assert len(shop.rows("orders")) == 3


@pytest.mark.duckdb
@pytest.mark.parametrize("setting", ["targets: production", "enabled: \"{{ env_var('OFF', 'false') }}\""])
def test_a_native_build_is_off_where_the_macros_are(cli: Cli, shop: DbtProject, setting: str) -> None:
    settings = f"{{dbt_selfheal: {{{setting}}}}}"
    finished = cli(shop, "ensure", "--json", "--threads", "2", "--vars", settings)
    assert finished.document["way"] == "off"
    assert not shop.relations()


@pytest.mark.duckdb
@pytest.mark.dbt_version(">=1.10")
def test_what_no_hook_can_build_is_built_with_dbts_own_nodes(cli: Cli, shop: DbtProject) -> None:
    """Python and microbatch models; without `--threads` the way follows from the plan."""
    shop.write(
        {
            "models/doubled.py": "def model(dbt, session):\n"
            "    dbt.config(materialized='table')\n"
            "    return dbt.ref('orders').project('id, amount * 2 as twice')\n",
            "models/dated.sql": "{{ config(materialized='table', event_time='day') }}\n"
            "select id, timestamp '2024-05-01' as day from {{ ref('raw_orders') }}\n",
            "models/batches.sql": "{{ config(materialized='incremental', incremental_strategy='microbatch', "
            "event_time='day', batch_size='year', begin='2023-01-01') }}\n"
            "select id, day from {{ ref('dated') }}\n",
            "models/after.sql": "select d.id, d.twice, b.day from {{ ref('doubled') }} d "
            "join {{ ref('batches') }} b on b.id = d.id\n",
        }
    )
    result = cli(shop, "ensure", "--json").document
    assert (result["state"], result["way"]) == ("completed", "native")
    assert shop.names() == SHOP_NAMES | {"doubled", "dated", "batches", "after"}
    assert sorted(row[1] for row in shop.rows("after")) == [20, 40, 60]


def test_the_native_way_keeps_run_results_and_builds_each_node_once(cli: Cli, shop: DbtProject) -> None:
    result = cli(shop, "ensure", "--threads", "2")
    assert "--threads 2" in result.said
    assert shop.names() == SHOP_NAMES
    kept = json.loads((shop.folder / "target" / "dbt_selfheal" / "run_results.json").read_text())
    assert kept["args"]["select"] == ["result:error"], "a selector for each node takes dbt the square of them"
    ids = [entry["unique_id"] for entry in kept["results"] if not entry["unique_id"].startswith("operation.")]
    assert sorted(unique_id.split(".")[2] for unique_id in ids) == sorted(SHOP_NAMES)


@pytest.mark.duckdb
def test_the_native_way_touches_nothing_that_exists(cli: Cli, shop: DbtProject) -> None:
    cli(shop, "ensure", "-q")
    shop.drop("report")
    shop.execute("insert into orders values (99, 'Mine', 1)")
    result = cli(shop, "ensure", "--json", "--threads", "2").document
    assert result["tables_created"] == ["report"]
    assert (99, "Mine", 1) in shop.rows("orders")


@pytest.mark.duckdb
def test_the_native_way_leaves_deferral_as_it_is_set(cli: Cli, shop: DbtProject) -> None:
    """With DBT_DEFER and DBT_STATE, as in a slim CI: the state is still the one that is deferred to."""
    cli(shop, "ensure", "-q")
    shop.dbt("compile")
    state = shop.folder / "state"
    state.mkdir()
    (state / "manifest.json").write_bytes((shop.folder / "target" / "manifest.json").read_bytes())
    shop.drop("report")
    env = {"DBT_DEFER": "true", "DBT_STATE": str(state)}
    assert cli(shop, "ensure", "--json", "--threads", "2", env=env).document["tables_created"] == ["report"]


def test_exec_supervises_dbt_which_heals_in_its_own_hook(cli: Cli, shop: DbtProject) -> None:
    result = cli(shop, "exec", "--", "dbt", "run", "-s", "report")
    assert "Completed successfully" in result.stdout, "dbt's output is on standard output as ever"
    assert result.stdout.count("Running with dbt") == 1, "one start of dbt"
    assert shop.names() == SHOP_NAMES


def test_exec_passes_on_the_exit_code_of_dbt_when_a_node_fails(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/broken.sql": "select nowhere from {{ ref('report') }}\n"})
    result = cli(shop, "exec", "--", "dbt", "run", "-s", "broken", code=1)
    assert "Error:" not in result.stderr, "healing did not fail, a node did"


def test_exec_blocks_the_nodes_when_healing_fails(cli: Cli, model_fails: DbtProject) -> None:
    result = cli(model_fails, "exec", "--", "dbt", "run", "-s", "totals", code=1)
    assert "What to do:" in result.said
    assert "models/orders.sql" in result.stderr, "the failed node is named"
    assert "totals" not in model_fails.names()
    assert "START sql view model" not in result.stdout


def test_exec_runs_any_other_command_in_a_ready_workspace_and_passes_on_its_end(
    cli: Cli, shop: DbtProject
) -> None:
    result = cli(shop, "exec", "--", "sh", "-c", "echo out; echo err >&2; exit 42", code=42)
    assert result.stdout == "out\n"
    assert result.stderr.endswith("err\n")
    assert shop.names() == SHOP_NAMES
    cli(shop, "exec", "-q", "--", "sh", "-c", "kill -TERM $$", code=-signal.SIGTERM)


def test_exec_does_not_run_the_command_when_the_workspace_is_not_ready(
    cli: Cli, model_fails: DbtProject
) -> None:
    result = cli(model_fails, "exec", "--", "touch", "ran", code=1)
    assert not (model_fails.folder / "ran").exists()
    assert "What to do:" in result.said


@pytest.mark.duckdb
def test_exec_forwards_signals_to_dbt(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/slow.sql": _slow("orders")})
    process = cli.start(shop, "exec", "--timeout", "120", "--", "dbt", "run", "-s", "slow")
    assert process.stdout is not None
    for line in process.stdout:
        if "START sql table model main.slow" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    wait_until(lambda: not processes_of(shop.folder), 20)


@pytest.mark.duckdb
def test_ctrl_c_ends_exec_with_130_and_is_no_failed_attempt(cli: Cli, shop: DbtProject) -> None:
    """While something is healed, which is when a failure would be kept."""
    shop.write({"models/slow.sql": _slow("orders"), "models/last.sql": "select * from {{ ref('slow') }}"})
    process = cli.start(shop, "exec", "--timeout", "120", "--", "dbt", "run", "-s", "last")
    assert process.stdout is not None
    for line in process.stdout:
        if "START" in line and "main.slow" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Error" not in errors
    assert not (shop.folder / "target" / "dbt_selfheal" / "attempts.jsonl").exists()
    wait_until(lambda: not processes_of(shop.folder), 20)


def test_the_first_line_is_there_before_dbt_is_loaded(cli: Cli, shop: DbtProject) -> None:
    times = []
    for _ in range(3):
        started = time.monotonic()
        process = cli.start(shop, "ensure")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("dbt-selfheal: checking the workspace")
        times.append(time.monotonic() - started)
        process.kill()
        process.wait()
    assert min(times) < 0.5  # 0.2 s on an idle machine: see benchmarks


@pytest.mark.duckdb
def test_the_hard_time_limit_ends_dbt_and_the_next_attempt_succeeds(cli: Cli, shop: DbtProject) -> None:
    good = (shop.folder / "models/orders.sql").read_text()
    shop.write({"models/orders.sql": _slow("raw_orders")})
    planned = cli(shop, "plan", "-q")  # parsed once, and how fast this machine is
    limit = int(10 + 3 * planned.seconds)  # enough to be inside the model, which takes ten minutes
    result = cli(shop, "ensure", "--timeout", str(limit), code=3)
    assert result.seconds < limit + 60
    assert f"the limit is {limit} s" in result.said
    assert "while it was building model orders (models/orders.sql)" in result.said
    assert "3 of 5 ERROR model main.orders" in result.said
    assert "What to do:" in result.said
    assert not processes_of(shop.folder)
    shop.write({"models/orders.sql": good})
    assert cli(shop, "ensure", "--json").document["state"] == "completed"


@pytest.mark.duckdb
@pytest.mark.parametrize("wait", ["START seed", "START table model"])
def test_killed_at_any_point_the_next_attempt_succeeds(cli: Cli, shop: DbtProject, wait: str) -> None:
    shop.write({"models/orders.sql": _slow("raw_orders")} if "model" in wait else {})
    process = cli.start(shop, "ensure")
    log = shop.folder / "logs" / "dbt.log"
    wait_until(lambda: log.exists() and wait in log.read_text(), 120)
    process.kill()
    process.communicate()
    wait_until(lambda: not processes_of(shop.folder), 10)  # dbt ends with its supervisor
    shop.write(
        {
            "models/orders.sql": "{{ config(materialized='table') }}\nselect 1 as amount, 'a' as name, "
            "id from {{ ref('raw_orders') }} join {{ ref('raw_customers') }} using (id)\n"
        }
    )
    assert cli(shop, "ensure", "--json").document["state"] == "completed"


@pytest.mark.duckdb
@pytest.mark.timeout(3600)
def test_many_at_once_initialize_exactly_once(
    cli: Cli,
    shop: DbtProject,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    rounds = 50 if pytestconfig.getoption("--faults") else 3
    for _ in range(rounds):
        processes = [cli.start(shop, "ensure", "--json") for _ in range(16)]
        results = [json.loads(process.communicate(timeout=240)[0])["result"] for process in processes]
        assert [process.returncode for process in processes] == [0] * 16
        created = [result["tables_created"] for result in results if result["tables_created"]]
        assert len(created) == 1
        assert sorted(created[0]) == sorted(SHOP_NAMES)
        _forget(shop)
    record_property("survived", f"duckdb: {rounds} rounds of 16 `dbt-selfheal ensure` at once, 0 failures")


@pytest.mark.duckdb
def test_with_no_lock_timeout_it_fails_at_once_and_names_the_holder(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": _slow("raw_orders")})
    first = cli.start(shop, "ensure")
    lock = Path(f"{shop.database.path}.selfheal.lock")  # type: ignore[attr-defined]
    wait_until(lambda: lock.exists() and lock.read_text() != "")
    result = cli(shop, "ensure", "--lock-timeout", "0", code=4)
    assert result.seconds < 5
    assert f"process {first.pid} on " in result.said
    assert cli(shop, "status", "--json", code=1).document["state"] == "in_progress"
    first.kill()
    first.communicate()
    wait_until(lambda: not processes_of(shop.folder), 10)
    assert "process" not in cli(shop, "status", "--json", code=1).stderr, (
        "a dead holder's lock is free at once"
    )


def test_switched_off_it_does_nothing(cli: Cli, shop: DbtProject) -> None:
    result = cli(shop, "ensure", env={"DBT_SELFHEAL_ENABLED": "false"})
    assert "off" in result.stdout
    assert not shop.relations()


def test_settings_of_the_project_are_respected(cli: Cli, shop: DbtProject) -> None:
    shop.configure(vars={"dbt_selfheal": {"required": ["totals"], "timeout_seconds": 0.01}})
    result = cli(shop, "ensure", code=3)
    assert "the limit is 0.01 s" in result.said
    cli(shop, "ensure", "--vars", "{dbt_selfheal: {timeout_seconds: 100}}")
    assert shop.names() == SHOP_NAMES - {"report"}


def test_failing_instead_of_building_is_respected(cli: Cli, shop: DbtProject) -> None:
    shop.configure(vars={"dbt_selfheal": {"on_missing": "fail"}})
    for command in (("ensure",), ("exec", "--", "dbt", "run", "-s", "report")):
        result = cli(shop, *command, code=7)
        assert "selfheal-missing" in result.stderr
        assert "dbt build --select" in result.said
        assert "building" not in result.stderr
        assert not shop.names()


def _slow(parent: str) -> str:
    """Returns a model on DuckDB that would run for many minutes."""
    return (
        "{{ config(materialized='table') }}\n"
        "select sum(hash(a.range * b.range)) as n, count(*) as amount, 'x' as name from range(3000000) a, "
        f"range(3000000) b where exists (select 1 from {{{{ ref('{parent}') }}}})\n"
    )


def _forget(project: DbtProject) -> None:
    """Makes a workspace empty again."""
    database: Any = project.database
    for path in database.path.parent.glob(f"{database.path.name}*"):
        if not path.name.endswith(".lock"):
            path.unlink()


SHOWN = {"macros/show.sql": "{% macro show() %}{% do log(var('year') ~ target.name, true) %}{% endmacro %}"}


def test_exec_gives_its_options_to_every_dbt_command(cli: Cli, shop: DbtProject) -> None:
    shop.write(SHOWN)
    result = cli(shop, "exec", "--vars", "{year: 1815}", "--", "dbt", "run-operation", "show")
    assert "1815dev" in result.stdout
    assert "not there" in cli(shop, "exec", "-t", "not there", "--", "dbt", "ls", code=2).output
    cli(shop, "exec", "-t", "dev", "--", "dbt", "--version")


def test_exec_refuses_options_that_it_does_not_have_before_anything_is_built(
    cli: Cli, shop: DbtProject
) -> None:
    assert "--threads" in cli(shop, "exec", "--threads", "4", "--", "dbt", "run", code=2).stderr
    assert "--select" in cli(shop, "exec", "-s", "orders", "--", "dbt", "run", code=2).stderr
    assert shop.names() == set()


def test_exec_switched_off_runs_the_command_and_nothing_else(cli: Cli, shop: DbtProject) -> None:
    off = {"DBT_SELFHEAL_ENABLED": "false"}
    (shop.folder / "profiles.yml").write_text("not a profile")
    result = cli(shop, "exec", "--", "sh", "-c", "exit 3", env=off, code=3)
    assert result.output == ""


def test_a_long_selection_is_no_problem(cli: Cli, shop: DbtProject) -> None:
    """One argument of a process is limited to 128 KiB on Linux."""
    names = [word for _ in range(9000) for word in ("-s", "raw_customers")]
    assert cli(shop, "ensure", "--json", *names).document["tables_created"] == ["raw_customers"]
