"""What the fidelity tests leave behind for tests/fidelity/report.py, which makes docs/fidelity.md of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from support.environments import ROOT

RESULTS = ROOT / "target" / "fidelity"


def keep_result(name: str, content: Mapping[str, Any]) -> None:
    """Keeps one result; a newer one of the same name replaces it.

    Args:
        name: What was compared, unique among the results.
        content: What JSON can hold.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / (re.sub(r"[^\w.+-]+", "-", name) + ".json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False))
