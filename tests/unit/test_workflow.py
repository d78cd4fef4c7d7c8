"""The workflow for GitHub Actions runs every section of scripts/test."""

from __future__ import annotations

import subprocess
import sys

import yaml
from support import ROOT


def test_the_workflow_runs_every_section_once():
    listed = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "test"), "--list"], capture_output=True, text=True, check=True
    )
    sections = {line.split()[0] for line in listed.stdout.splitlines()} - {"lint", "unit"}
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    matrix = workflow["jobs"]["section"]["strategy"]["matrix"]
    names = [*matrix["section"], *(entry["section"] for entry in matrix["include"])]
    run = [section for section in sections for name in names if name in section]
    assert sorted(run) == sorted(sections)
