#!/usr/bin/env python3
"""Changes the macros a little, one change at a time, and runs tests: each change should make one fail.

    tests/mutation/mutate.py --list                 counts the mutants of each file
    tests/mutation/mutate.py --sample 40 --seed 1   runs tests on forty of them, and says which survived
    tests/mutation/mutate.py --only plan/required   those of files whose name contains this

The tests run in a copy of the repository, with the environments of this one, all in one process
(rounds.py). Run by hand: a mutant takes as long as its tests do until one fails, a survivor as long as all
of them. The figures are in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MACROS = ROOT / "macros"
FUNCTIONAL = "tests/functional/test_{}.py"
TESTS = (
    *("clone", "commands", "first_run", "functions", "hooks_read", "large_seeds", "latest_version"),
    *(
        "lost_history",
        "node_kinds",
        "plan",
        "planning_rules",
        "progress",
        "reads_without_an_edge",
        "recovery",
        "reliances",
    ),
    *("seed_files", "seeds_to_the_letter", "settings"),
)
FIDELITY = "tests/fidelity/test_healed_equals_built.py"
LOCK = "ensure/lock.sql"  # is on PostgreSQL
REFUSALS = "plan/refusals.sql"  # views go with their tables on PostgreSQL alone
SITUATIONS = "tests/harmless/test_situations.py"
SEEDS = "build/seed.sql"  # much of it is for databases without dates
# Tests of single macros, which parse them once: a process for each mutant, before the others.
UNIT = {"build": "tests/unit/test_macros_build.py", "ensure": "tests/unit/test_macros_lock.py"}
_TAG = re.compile(r"\{%-?.*?-?%\}", re.DOTALL)


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Args:
        file: The file, from the folder of macros.
        line: The line in which it begins.
        kind: What was done.
        before: The text that was replaced.
        after: The text in its place.
        start: Where it is, in characters.
    """

    file: str
    line: int
    kind: str
    before: str
    after: str
    start: int

    def apply(self, text: str) -> str:
        """Returns the content of the file with the change."""
        return text[: self.start] + self.after + text[self.start + len(self.before) :]

    def __str__(self) -> str:
        what = " ".join(self.before.split())[:90]
        return f"{self.file}:{self.line} (character {self.start}): {self.kind}: {what}"


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yields every mutant of a file: and/or swapped; a condition, a negation or a line dropped."""
    for tag in _TAG.finditer(text):
        for kind, start, before, after in _changes(tag[0]):
            at = tag.start() + start
            yield Mutant(file, text.count("\n", 0, at) + 1, kind, before, after, at)
        line_start, line_end = text.rfind("\n", 0, tag.start()) + 1, text.find("\n", tag.end())
        whole = text[line_start:line_end].strip() == tag[0]
        if whole and re.match(r"\{%-?\s*(do(?! return)|set\b.*=)", tag[0], re.DOTALL):
            line = text.count("\n", 0, tag.start()) + 1
            yield Mutant(file, line, "line dropped", tag[0], "", tag.start())


def _changes(tag: str) -> Iterator[tuple[str, int, str, str]]:
    """Yields kind, place, old and new text of the changes within a tag; texts in quotes are left alone."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", lambda found: " " * len(found[0]), tag)
    for word, other in ((" and ", " or "), (" or ", " and ")):
        for found in re.finditer(word, plain):
            yield f"{word.strip()} for {other.strip()}", found.start(), word, other
    for found in re.finditer(r"\bnot (?!in\b)|(?<=\bis )not ", plain):
        yield "negation dropped", found.start(), tag[found.start() : found.end()], ""
    condition = re.match(r"\{%-?\s*(?:el)?if (.*?)\s*-?%\}$", plain, re.DOTALL)
    if condition:
        for value in ("true", "false"):
            yield (
                f"condition is {value}",
                condition.start(1),
                tag[condition.start(1) : condition.end(1)],
                value,
            )
    loop = re.match(r"\{%-?\s*for .*? in .*?( if .*?)(?: recursive)?\s*-?%\}$", plain, re.DOTALL)
    if loop and " else " not in loop[1]:
        yield "condition of a loop dropped", loop.start(1), tag[loop.start(1) : loop.end(1)], ""


def every(only: str) -> list[Mutant]:
    """Returns all mutants of plan, verify, build and the lock whose file's name contains a text."""
    paths = [
        *MACROS.glob("plan/*.sql"),
        *MACROS.glob("verify/*.sql"),
        *MACROS.glob("build/*.sql"),
        MACROS / LOCK,
    ]
    files = sorted(str(path.relative_to(MACROS)) for path in paths)
    return [mutant for file in files if only in file for mutant in mutants(file, (MACROS / file).read_text())]


def stages(file: str) -> list[tuple[str, str, list[str]]]:
    """Returns environment, adapter and tests for a file's mutants, each for what survived the one before."""
    if file == LOCK:
        return [("dev", "postgres", ["tests/faults/test_lock.py"])]
    found = [("dev", "duckdb", [FUNCTIONAL.format(name) for name in TESTS])]
    if file.startswith("build/"):
        found.append(("dev", "duckdb", [FIDELITY]))
    if file == REFUSALS:
        found.append(("dev", "postgres", [SITUATIONS]))
    if file == SEEDS:
        found.append(("sqlite", "sqlite", [FUNCTIONAL.format("seeds_to_the_letter")]))
    return found


def copied(folder: Path) -> Path:
    """Returns a copy of the repository, with the environments of this one."""
    copy = folder / "dbt-selfheal"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


def _killed_by_unit_tests(copy: Path, mutant: Mutant, results: Path) -> bool:
    """Returns whether tests of single macros kill a mutant, and writes that down."""
    unit, path = UNIT.get(mutant.file.partition("/")[0]), copy / "macros" / mutant.file
    if unit is None:
        return False
    as_it_is, started = path.read_text(), time.monotonic()
    path.write_text(mutant.apply(as_it_is))
    pytest = str(copy / ".venv/dev/bin/pytest")
    command = [pytest, "--dbt-env", "dev", "-q", "-x", "-p", "no:cacheprovider", unit]
    try:
        done = subprocess.run(command, cwd=copy, check=False, stdout=subprocess.DEVNULL)
    finally:
        path.write_text(as_it_is)
    if done.returncode != 1:
        return False
    line = {"name": str(mutant), "fate": "killed", "killer": unit, "seconds": time.monotonic() - started}
    with results.open("a") as opened:
        opened.write(json.dumps(line) + "\n")
    return True


def run(copy: Path, chosen: list[Mutant], limit: float) -> list[dict[str, Any]]:
    """Runs tests on mutants; returns for each what rounds.py says of it.

    Args:
        copy: The repository in which they are made.
        chosen: The mutants.
        limit: How long one may take, in seconds.
    """
    results = copy / "mutants.jsonl"
    left = [mutant for mutant in chosen if not _killed_by_unit_tests(copy, mutant, results)]
    for stage in dict.fromkeys((*each[:2], tuple(each[2])) for m in left for each in stages(m.file)):
        wanted = [m for m in left if (*stage[:2], list(stage[2])) in stages(m.file)]
        killed = {line["name"] for line in _run_stage(copy, wanted, stage, limit, results)}
        left = [mutant for mutant in left if str(mutant) not in killed]
    fates = [json.loads(line) for line in results.read_text().splitlines()]
    return list({line["name"]: line for line in fates}.values())  # the last of each


def _run_stage(
    copy: Path, wanted: list[Mutant], stage: tuple[str, str, tuple[str, ...]], limit: float, results: Path
) -> list[dict[str, Any]]:
    """Runs the tests of one environment; returns what rounds.py says of those that were killed."""
    environment, adapter, files = stage
    before = len(results.read_text().splitlines()) if results.exists() else 0
    mutants = [
        {"name": str(m), "path": str(path), "line": m.line, "text": m.apply(path.read_text())}
        for m in wanted
        for path in [copy / "macros" / m.file]
    ]
    asked = copy / "asked.json"
    asked.write_text(json.dumps({"mutants": mutants, "limit": limit, "results": str(results)}))
    plugins = ["-p", "mutation.rounds", "-p", "no:dbt", "-p", "no:cacheprovider"]
    pytest = str(copy / ".venv/dev/bin/pytest")
    command = [pytest, "--dbt-env", environment, "--adapter", adapter, *plugins]
    subprocess.run(
        [*command, "--mutants", str(asked), "--timeout", "120", *files],
        cwd=copy,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(copy / "tests")},
    )
    lines = [json.loads(line) for line in results.read_text().splitlines()[before:]]
    return [line for line in lines if line["fate"] == "killed"]


def main() -> int:
    """Runs what was asked for; returns 0 if no mutant survived, else 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="count the mutants and end")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose name contains this")
    parser.add_argument("--sample", type=int, default=40, help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once, each in a copy of its own (1)")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one mutant (600)")
    options = parser.parse_args()
    found = every(options.only)
    if options.list:
        for file, count in Counter(mutant.file for mutant in found).items():
            print(f"{file:32} {count:4}")
        print(f"{'together':32} {len(found):4}")
        return 0
    chosen = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(options.jobs) as jobs:
        parts = [part for part in (chosen[number :: options.jobs] for number in range(options.jobs)) if part]
        copies = [copied(Path(folder) / str(number)) for number, _ in enumerate(parts)]
        results = [
            line for lines in jobs.map(partial(run, limit=options.limit), copies, parts) for line in lines
        ]
    for each in results:
        print(f"{each['fate']:9} {each['seconds']:5.0f} s  {each['name']}  {each['killer']}")
    print(json.dumps(Counter(each["fate"] for each in results)))
    return 1 if any(each["fate"] == "survived" for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
