#!/usr/bin/env python3
"""Changes the macros a little, one change at a time, and runs tests: each change should make one fail.

    tests/mutation/mutate.py --list                 counts the mutants of each file
    tests/mutation/mutate.py --sample 40 --seed 1   runs tests on forty of them, and says which survived
    tests/mutation/mutate.py --only plan/required   those of files whose name contains this

The tests run in a copy of the repository, with the environments of this one. Run by hand: a mutant
takes as long as its tests do until one fails, a survivor as long as all of them. The figures are in
docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MACROS = ROOT / "macros"
FUNCTIONAL = "tests/functional/test_{}.py"
# What is run for a mutant of a file, in this order: the closest first. Others: PLANNING.
PLANNING = ("planning_rules", "plan", "lost_history", "reads_without_an_edge", "hooks_read", "commands")
CLOSEST = {
    "plan/refusals.sql": ("lost_history", "planning_rules", "plan"),
    "plan/initialization_plan.sql": ("plan", "commands"),
    "verify/verify.sql": ("commands", "recovery", "planning_rules"),
    "verify/verify_initialized.sql": ("commands", "plan"),
    "build/seed.sql": ("seeds_to_the_letter", "seed_files", "large_seeds"),
    "build/rewrite.sql": ("node_kinds", "planning_rules"),
    "build/build.sql": ("node_kinds", "latest_version", "recovery", "progress"),
    "build/compile.sql": ("node_kinds", "planning_rules"),
    "build/config.sql": ("node_kinds", "seeds_to_the_letter", "planning_rules"),
    "build/context.sql": ("node_kinds", "seeds_to_the_letter", "reliances"),
    "build/ref.sql": ("node_kinds", "planning_rules", "latest_version"),
    "build/var.sql": ("node_kinds", "settings"),
}
UNIT = "tests/unit/test_macros_build.py"
FIDELITY = "tests/fidelity/test_healed_equals_built.py"
LOCK = "ensure/lock.sql"  # is on PostgreSQL
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
        return f"{self.file}:{self.line}: {self.kind}: {' '.join(self.before.split())[:90]}"


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


def tests_of(file: str, promises: bool) -> list[list[str]]:
    """Returns pytest's arguments for the mutants of a file, a list for each run.

    Args:
        file: The file.
        promises: Whether only tests marked promise are run, for a quick first look.
    """
    few = ["-p", "no:dbt", *(["--promises"] if promises else [])]
    if file == LOCK:
        return [["--adapter", "postgres", "tests/faults/test_lock.py", *few]]
    names = CLOSEST.get(file, PLANNING)
    if promises:
        names = tuple(dict.fromkeys([*names, "first_run", "planning_rules", "commands"]))
    runs = [["--adapter", "duckdb", *(FUNCTIONAL.format(name) for name in names), *few]]
    if file.startswith("build/"):
        return [["--adapter", "duckdb", UNIT], *runs, ["--adapter", "duckdb", FIDELITY, *few]]
    if file == "plan/refusals.sql":  # what a view takes with it is PostgreSQL's alone
        runs.append(["--adapter", "postgres", "tests/harmless/test_situations.py", "-k", "cascade", *few[:2]])
    return runs


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


def fate(copy: Path, mutant: Mutant, runs: list[list[str]], limit: float) -> str:
    """Runs tests on a mutant, until one fails; returns `killed`, `survived` or `no time`."""
    file = copy / "macros" / mutant.file
    text = file.read_text()
    file.write_text(mutant.apply(text))
    pytest = [str(copy / ".venv/dev/bin/pytest"), "--dbt-env", "dev", "-p", "no:cacheprovider", "-q", "-x"]
    try:
        for arguments in runs:
            done = subprocess.run(
                [*pytest, *arguments], cwd=copy, check=False, capture_output=True, text=True, timeout=limit
            )
            if done.returncode == 1:
                return "killed"
            if done.returncode != 0:
                raise RuntimeError(f"pytest does not run: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    except subprocess.TimeoutExpired:
        return "no time"
    finally:
        file.write_text(text)
    return "survived"


def main() -> int:
    """Runs what was asked for; returns 0 if no mutant survived, else 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="count the mutants and end")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose name contains this")
    parser.add_argument("--promises", action="store_true", help="only the tests marked promise: quicker")
    parser.add_argument("--sample", type=int, default=40, help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for one mutant (900)")
    options = parser.parse_args()
    found = every(options.only)
    if options.list:
        for file, count in Counter(mutant.file for mutant in found).items():
            print(f"{file:32} {count:4}")
        print(f"{'together':32} {len(found):4}")
        return 0
    chosen = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    results: dict[str, list[str]] = {"killed": [], "survived": [], "no time": []}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = copied(Path(folder))
        for mutant in chosen:
            started = time.monotonic()
            result = fate(copy, mutant, tests_of(mutant.file, options.promises), options.limit)
            results[result].append(str(mutant))
            print(f"{result:9} {time.monotonic() - started:5.0f} s  {mutant}", flush=True)
    print(json.dumps({name: len(each) for name, each in results.items()}))
    return 1 if results["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
