"""The command `health`: exit codes, the data tests, JSON, metrics, and the page in a real browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import ROOT, DbtProject
from wrapper.conftest import Cli

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
TESTS = """
models:
  - name: orders
    columns:
      - {name: id, data_type: integer, data_tests: [unique, not_null]}
  - name: report
    columns: [{name: name, data_tests: [not_null]}]
"""


@pytest.fixture
def ready(shop: DbtProject, cli: Cli) -> DbtProject:
    """The project with data tests, built by the wrapper."""
    shop.write({"models/schema.yml": TESTS})
    cli(shop, "ensure")
    return shop


def checks(report: dict[str, Any]) -> dict[str, Any]:
    """Returns the checks by name."""
    return {check["name"]: check for check in report["checks"]}


def listen(page: Page, said: list[str], asked: list[str]) -> None:
    """Collects what a page says on its console, its errors, and the addresses that it asks for."""
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))


def test_verdict_exit_code_and_what_to_do_go_together(ready: DbtProject, cli: Cli) -> None:
    report = cli(ready, "health", "--json").document
    assert report["verdict"] == "healthy"
    found = checks(report)
    assert found["data_tests"]["summary"] == "3 pass"
    assert found["disk"]["details"]["free_bytes"] > 0
    assert found["last_initialization"]["details"]["state"] == "completed"
    assert [step["step_name"] for step in report["attempts"][-1]["steps"]][-1] == "verify"

    ready.execute("insert into orders select * from orders limit 1")
    degraded = cli(ready, "health", code=1)
    assert "Health: degraded" in degraded.stdout
    assert "unique_orders_id" in degraded.stdout
    assert "dbt test --select unique_orders_id" in degraded.stdout
    assert cli(ready, "health", "--no-tests", "--json").document["verdict"] == "healthy"

    ready.drop("report", "orders")
    broken = cli(ready, "health", "--json", code=8).document
    assert broken["verdict"] == "broken"
    assert sorted(checks(broken)["required_relations"]["details"]["missing"]) == ["orders", "report"]
    assert "report" not in ready.names(), "looking has built something"
    assert {test["status"] for test in broken["data_tests"]} <= {"pass"}


def test_a_database_that_cannot_be_read_is_broken(ready: DbtProject, cli: Cli) -> None:
    file = Path(ready.database.profile()["path"])
    file.write_bytes(b"no database " * 2000)
    done = cli(ready, "health", "--html", "health.html", code=8)
    assert "FAILED   connectivity" in done.stdout
    assert "dbt-selfheal recreate" in done.stdout
    assert "dbt-selfheal recreate" in (ready.folder / "health.html").read_text()


def test_a_project_without_a_profile_is_broken(ready: DbtProject, cli: Cli) -> None:
    report = cli(ready, "health", "--target", "nowhere", "--json", code=8).document
    assert report["verdict"] == "broken"
    assert list(checks(report)) == ["project"]


def test_what_is_wrong_with_the_project_is_no_failed_connection(ready: DbtProject, cli: Cli) -> None:
    """The checks made before stay; page and metrics are there; a page that cannot be written is said."""
    ready.execute("create table people (id integer)")
    wrong = "{dbt_selfheal: {initial_data: [{table: people, key: [nope], rows: [{nope: 1}]}]}}"
    report = cli(ready, "health", "--vars", wrong, "--json", "--html", "health.html", code=8).document
    found = checks(report)
    assert found["connectivity"]["status"] == "ok"
    assert found["required_relations"]["status"] == "ok"
    assert "nope" in found["project"]["summary"]
    assert found["project"]["status"] == "failed"
    assert "nope" in (ready.folder / "health.html").read_text()
    unwritten = cli(ready, "health", "--prometheus", "--html", "nowhere/health.html", code=9)
    assert "dbt_selfheal_verdict" in unwritten.stdout
    assert "the page cannot be written to nowhere/health.html" in unwritten.said


def test_looking_leaves_nothing_behind(ready: DbtProject, cli: Cli) -> None:
    """No stored failures of data tests, and no traceback over a damaged log of attempts."""
    ready.write(
        {
            "models/schema.yml": TESTS.replace(
                "[unique, not_null]", "[unique: {config: {store_failures: true}}]"
            )
        }
    )
    before = ready.relations()
    (log,) = ready.folder.rglob("attempts.jsonl")
    log.write_text(
        log.read_text() + '{"state": "failed", "completed_at": null}\n{"state": 1, "completed_at": "x"}\n'
    )
    found = checks(cli(ready, "health", "--json").document)
    assert found["data_tests"]["details"]["pass"] == 2
    assert found["last_initialization"]["details"]["state"] == "completed"
    assert ready.relations() == before


def test_metrics_are_what_prometheus_reads(ready: DbtProject, cli: Cli) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    text = cli(ready, "health", "--prometheus").stdout
    values = {
        (sample.name, sample.labels.get("state") or sample.labels.get("check")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values[("dbt_selfheal_verdict", None)] == 0
    assert values[("dbt_selfheal_relations", "present")] == 5
    assert values[("dbt_selfheal_check_status", "schema")] == 0
    assert values[("dbt_selfheal_last_initialization_success", None)] == 1
    assert values[("dbt_selfheal_disk_free_bytes", None)] > 0


def test_the_page_is_right_in_a_browser(ready: DbtProject, cli: Cli) -> None:
    """Desktop and phone, light and dark: no errors, nothing loaded, no sideways scrolling."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    for _ in range(2):
        ready.drop("report")
        cli(ready, "ensure")
    ready.drop("report")
    ready.execute("alter table orders add column surplus integer", "alter table orders drop column id")
    document = cli(ready, "health", "--json", "--html", "health.html", code=8).document
    page_file = ready.folder / "health.html"
    artifacts = ROOT / "artifacts" / "health"
    artifacts.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(page_file, artifacts / "health.html")
    (artifacts / "health.json").write_text(json.dumps(document, indent=2))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                said: list[str] = []
                asked: list[str] = []
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                listen(page, said, asked)
                page.goto(page_file.as_uri())
                assert page.locator("h1").inner_text().lower() == "broken"
                assert page.locator(".graph g").count() == 5
                assert page.locator(".graph g.missing").count() == 1
                assert page.locator(".graph g.drifted").count() == 1
                assert page.locator(".graph path").count() == 4
                assert page.locator(".time li:not(.axis)").count() >= 4
                assert page.locator(".bars i").count() == len(document["attempts"]) == 3
                assert page.get_by_text("dbt run-operation ensure_initialized").first.is_visible()
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                for bar in page.locator(".time .bar").all():
                    box, track = bar.bounding_box(), bar.locator("..").bounding_box()
                    assert box is not None
                    assert track is not None
                    assert box["x"] + box["width"] <= track["x"] + track["width"] + 3
                page.screenshot(path=str(artifacts / f"health-{size}-{scheme}.png"), full_page=True)
                page.close()
                assert said == []
                assert asked == [page_file.as_uri()]
        browser.close()
