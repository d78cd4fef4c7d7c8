"""docs/python.md does what it says: its files are written, its statements and its Python are run."""

from __future__ import annotations

import doctest
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, DbtProject

PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(
    r"<!-- (?P<kind>file|sql|python|rm)(?:: (?P<path>\S+))? -->\n(?:```\w*\n(?P<text>.*?)```)?", re.DOTALL
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.duckdb
@pytest.mark.both_packages
def test_the_page_is_true(
    make_project: Callable[..., DbtProject], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    monkeypatch.setenv("APP_ADMIN_HASH", "")  # the page sets it
    project = make_project({})
    monkeypatch.chdir(project.folder)
    names: dict[str, Any] = {}
    blocks = list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    assert len([block for block in blocks if block["kind"] == "python"]) > 4
    for block in blocks:
        if block["kind"] == "file":
            project.write({block["path"]: block["text"]})
        elif block["kind"] == "rm":
            project.remove(block["path"])
        elif block["kind"] == "sql":
            project.execute(block["text"].strip().rstrip(";"))
        else:
            _run(block["text"], names)


def _run(text: str, names: dict[str, Any]) -> None:
    """Runs the examples of a block, and compares; what they define is there in the next one."""
    example = doctest.DocTestParser().get_doctest(text, names, "docs/python.md", None, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    failed = runner.run(example, out=said.append, clear_globs=False).failed
    names.update(example.globs)
    assert not failed, "".join(said)
