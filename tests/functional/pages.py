"""Runs the examples of a page under docs/, which are marked by comments, and compares.

`<!-- file: PATH -->` writes the block as a file of the project, `<!-- sql -->` executes its statements, and
`<!-- run -->` runs its commands (`dbt ...`, `dbt-selfheal ...`) and looks for the lines
below each in the output.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping

from support import ROOT, DbtProject

BLOCK = re.compile(r"<!-- (file|run|sql|config)(?:: (\S+))? -->\n```\w*\n(.*?)```", re.DOTALL)


def play_page(page: str, project: DbtProject, variables: Mapping[str, str]) -> None:
    """Does what the marked blocks of a page say, in order.

    Args:
        page: The name of the file under docs/.
        project: Where.
        variables: The environment of `dbt-selfheal`.
    """
    found = BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert found, f"{page} has no marked block"
    for kind, argument, content in found:
        if kind == "file":
            project.write({argument: content})
        elif kind == "sql":
            project.execute(*filter(None, map(str.strip, content.split(";"))))
        elif kind == "run":
            _run(project, content, variables)


def _run(project: DbtProject, content: str, variables: Mapping[str, str]) -> None:
    for part in re.split(r"(?m)^\$ ", content)[1:]:
        command, *expected = part.splitlines()
        output = plain(_output(project, shlex.split(command), variables))
        position = 0
        for line in filter(None, map(str.strip, map(plain, expected))):
            assert line in output[position:], f"{command}\nlacks: {line}\nin: {output}"
            position = output.index(line, position) + len(line)


def _output(project: DbtProject, words: list[str], variables: Mapping[str, str]) -> str:
    if words[0] == "dbt":
        return project.dbt(*words[1:], check=False).output
    assert words[0] == "dbt-selfheal"
    done = subprocess.run(
        [sys.executable, "-m", "dbt_selfheal.cli", *words[1:]],
        cwd=project.folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return f"{done.stdout}{done.stderr}\nexit code {done.returncode}"


def plain(text: str) -> str:
    """Returns a text without what differs from run to run: times, sizes, versions, dots, spaces."""
    text = re.sub(r"(?m)^\d\d:\d\d:\d\d\s", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\d+(\.\d+)? (s|ms|[kMG]B)\b", "N", text)
    text = re.sub(r"\bv?\d+\.\d+\.\d+\b", "VERSION", text)
    return re.sub(r"(?:\s|\.{3,})+", " ", text)
