"""What applications hear: callbacks, Python's logging, a command on failure, health over HTTP."""

from __future__ import annotations

import json
import logging
import re
import shutil
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT, DbtProject
from wrapper.conftest import SHOP, Cli
from wrapper.test_database import dbt  # noqa: F401 (a fixture)

from dbt_selfheal import AutoInitializer, ConfigurationError, InitializationError
from dbt_selfheal.health.serve import address_of

pytestmark = pytest.mark.duckdb


def test_a_callback_the_log_file_and_python_logging_have_the_same_events(
    shop: DbtProject, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[dict[str, Any]] = []

    def listen(event: dict[str, Any]) -> None:
        heard.append(event)
        raise RuntimeError("a listener's error ends nothing")

    log = tmp_path / "events.jsonl"
    with caplog.at_level(logging.DEBUG, logger="dbt_selfheal"):
        AutoInitializer(
            shop.folder, profiles_dir=shop.folder, log_file=log, on_event=listen, on_failure=_never
        ).ensure_initialized()
    assert heard == [json.loads(line) for line in log.read_text().splitlines()]
    records = [record for record in caplog.records if hasattr(record, "selfheal")]
    assert [record.__dict__["selfheal"] for record in records] == heard
    nodes = [record for record in records if record.__dict__["event"] == "initialization_node_complete"]
    assert len(nodes) == 5
    assert {record.levelno for record in nodes} == {logging.INFO}
    assert "listener" in caplog.text


def _never(event: dict[str, Any]) -> None:
    raise AssertionError(event)


def test_a_failure_is_an_error_in_the_log_and_calls_the_application(
    shop: DbtProject, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}"})
    failures: list[dict[str, Any]] = []
    initializer = AutoInitializer(shop.folder, profiles_dir=shop.folder, on_failure=failures.append)
    with caplog.at_level(logging.INFO, logger="dbt_selfheal"), pytest.raises(InitializationError) as caught:
        initializer.ensure_initialized()
    (event,) = failures
    assert (event["event"], event["state"]) == ("initialization_complete", "failed")
    assert (event["step"], event["remedy"]) == (caught.value.step, caught.value.remedy)
    assert event["error"] == str(caught.value)
    assert [record.__dict__["event"] for record in caplog.records if record.levelno == logging.ERROR][-1] == (
        "initialization_complete"
    )
    assert capfd.readouterr() == ("", ""), "a library prints nothing"


def test_a_command_is_run_on_a_failure(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}"})
    assert shutil.which("tee")
    failed = cli(shop, "ensure", "-q", "--on-failure", "tee 'the alert.json'", code=1)
    event = json.loads((shop.folder / "the alert.json").read_text())
    assert event["state"] == "failed"
    assert event["remedy"] in failed.stderr
    (shop.folder / "the alert.json").unlink()
    absent = cli(shop, "ensure", "-q", "--force", "--on-failure", "no-such-program", code=1)
    assert "no-such-program" in absent.stderr
    wrong = cli(shop, "ensure", "--on-failure", "echo 'open", code=2)
    assert "is no command" in wrong.said
    shop.write({"models/orders.sql": SHOP["models/orders.sql"]})
    cli(shop, "ensure", "-q", "--force", "--on-failure", "tee 'the alert.json'")
    assert not (shop.folder / "the alert.json").exists()


@pytest.mark.parametrize(
    ("text", "address"),
    [("9187", ("127.0.0.1", 9187)), ("0.0.0.0:1", ("0.0.0.0", 1)), ("[::1]:80", ("::1", 80))],
)
def test_an_address_has_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "host", "70000", "1:2:3", "host:", "-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        address_of(text)
    assert "--serve 9187" in str(caught.value.remedy)


@pytest.mark.both_packages
def test_health_is_served_and_checked_again(cli: Cli, make_project: Callable[..., DbtProject]) -> None:
    project = make_project(SHOP, config={"vars": {"dbt_selfheal": {"timeout_seconds": 200}}})
    cli(project, "ensure", "-q")
    process = cli.start(project, "health", "--serve", "127.0.0.1:0", "--every", "4", "--no-tests")
    assert process.stderr is not None
    url = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
    assert url is not None
    assert _get(url[0] + "health")[0] == 503, "not known yet"
    text = _wait(url[0] + "health", 200)[1]
    assert json.loads(text)["verdict"] in ("healthy", "degraded")
    metrics = _get(url[0] + "metrics")[1]
    for name in re.findall(r"dbt_selfheal_\w+", yaml.safe_dump(_rules())):
        assert f"\n{name}{{" in metrics, f"the rules of docs/health.md name {name}"
    assert _get(url[0])[1].startswith("<!doctype html>")
    assert _get(url[0] + "nothing")[0] == 404
    in_use = cli(project, "health", "--serve", url[1], code=7)
    assert "in use" in in_use.said
    assert "What to do: Choose another port" in in_use.said
    _drop(project, "report")
    assert json.loads(_wait(url[0] + "health", 503)[1])["verdict"] == "broken"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def _drop(project: DbtProject, name: str) -> None:
    """Drops a relation as soon as no check has the database file open."""
    import duckdb

    end = time.monotonic() + 60
    while True:
        try:
            return project.drop(name)
        except duckdb.IOException:
            assert time.monotonic() < end
            time.sleep(0.05)


def _rules() -> Any:
    text = (ROOT / "docs" / "health.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(groups:.*?)```", text, re.DOTALL)]
    assert len(blocks) == 1
    return blocks[0]


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _wait(url: str, status: int) -> tuple[int, str]:
    """Asks until an answer has a status; fails after two minutes."""
    end = time.monotonic() + 120
    while (answer := _get(url))[0] != status:
        assert time.monotonic() < end, answer
        time.sleep(0.2)
    return answer
