"""What the tests of warehouses leave behind for report.py, which makes the README's table of it."""

from __future__ import annotations

import json

from support import ROOT, Environment

RESULTS = ROOT / "target" / "warehouses"


def keep(environment: Environment, what: str, found: str, engine: str = "") -> None:
    """Keeps what a test has shown; a newer result of the same test replaces it.

    Args:
        environment: Where dbt ran; its name is the adapter's.
        what: What was shown, a key of report.py's SHOWN.
        found: What was counted, such as `10 of 10 relations`.
        engine: What stood for the warehouse, with its version.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    versions = {name: environment.version_of(name) for name in ("dbt-core", f"dbt-{environment.name}")}
    content = {
        "adapter": environment.name,
        "versions": versions,
        "engine": engine,
        "what": what,
        "found": found,
    }
    (RESULTS / f"{environment.name}-{what}.json").write_text(json.dumps(content, indent=1))
