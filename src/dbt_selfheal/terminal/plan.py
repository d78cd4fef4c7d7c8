"""A plan for people: as a tree on a terminal, as Markdown, and as annotations of GitHub Actions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

Plan = Mapping[str, Any]
Step = Mapping[str, Any]
GUIDE = 4  # columns that rich puts before each level of a tree
DEEPEST = 8  # a branch that is deeper goes on further down, so that lines stay within 80 columns
NAMES_SHOWN = 8
INDENTED: dict[str, Any] = {"initial_indent": "   ", "subsequent_indent": "   "}


def headline(plan: Plan) -> str:
    """Returns how much is missing, how long building it takes by earlier runs, and what stays."""
    steps, there = plan["steps"], len(plan["present"])
    if not steps:
        count = len(plan["required"])
        all_there = (
            "The one required relation exists" if count == 1 else f"All {count} required relations exist"
        )
        return f"{all_there}. Nothing to build."
    expected = [step["expected_seconds"] for step in steps]
    known = [seconds for seconds in expected if seconds is not None]
    time = f", about {_seconds(sum(known) / len(known) * len(steps))} by earlier runs" if known else ""
    stays = f"; {there} there {'stays as it is' if there == 1 else 'stay as they are'}" if there else ""
    return f"{len(steps)} {'relation is' if len(steps) == 1 else 'relations are'} missing{time}{stays}"


def print_plan(plan: Plan, command: str) -> None:
    """Prints a plan as a tree on standard output.

    Args:
        plan: The plan, as of Attempt.plan.
        command: The command that builds it.
    """
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=80)
    console.print(headline(plan), style="bold")
    if not plan["steps"]:
        return
    why = _one_reason(plan)
    if why:
        console.print(f"Why: {why}")
    console.print()
    for tree in _trees(plan):
        console.print(tree)
    console.print()
    for line in _last_lines(plan, command):
        console.print(line, soft_wrap=line.startswith("Build"))


def markdown(plan: Plan, command: str) -> str:
    """Returns a plan in Markdown, for a comment of a pull request or a job's summary."""
    lines = [f"**{headline(plan)}**"]
    if plan["steps"]:
        lines += ["", "| | relation | kind | why | expected | |", "|---|---|---|---|---|---|"]
    for number, step in enumerate(plan["steps"], 1):
        cells = [f"{number}", f"`{_name(step)}`", _kind(step), step["reason"]]
        cells += [_seconds(step["expected_seconds"]), _note(plan, step) or ""]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join([*lines, *(["", *_last_lines(plan, f"`{command}`")] if plan["steps"] else [])])


def github(plan: Plan, project: str, folder: Path) -> str:
    """Returns a plan as workflow commands of GitHub Actions: an annotation for each missing relation.

    Args:
        plan: The plan.
        project: The name of the dbt project; files of packages are not in the repository.
        folder: The project's folder, relative to the repository.
    """
    lines = []
    for step in plan["steps"]:
        note = _note(plan, step)
        level = "error" if plan["blocked"] or _is_refused(plan, step) else "warning"
        inside = step["unique_id"].split(".")[1] == project
        file = f"file={_property((folder / step['path']).as_posix())}," if inside else ""
        text = f"{_kind(step)} {_name(step)} is missing ({step['reason']})" + (f"; {note}" if note else "")
        lines.append(f"::{level} {file}title=dbt-selfheal plan::{_data(text)}")
    for source in plan.get("missing_sources", ()):
        level, text = "error" if source["stops"] else "warning", f"missing source: {_source(source)}"
        lines.append(f"::{level} title=dbt-selfheal plan::{_data(text)}")
    return "\n".join([*lines, headline(plan)])


def _trees(plan: Plan) -> Iterator[Tree]:
    """Yields a tree for each missing node that no other missing one reads; below it is what it reads."""
    from rich.tree import Tree

    steps = {step["unique_id"]: step for step in plan["steps"]}
    numbers = {unique_id: number for number, unique_id in enumerate(steps, 1)}
    read = {parent for step in steps.values() for parent in step["parents"]}
    shown: set[str] = set()
    why = _one_reason(plan)

    def label(unique_id: str, depth: int) -> Text:
        step = steps[unique_id]
        reason = step["reason"] if step["required"] and not why else None
        return _label(plan, step, numbers[unique_id], reason, 80 - GUIDE * (depth - 1))

    def grow(branch: Tree, unique_id: str, depth: int) -> Tree:
        shown.add(unique_id)
        for parent in steps[unique_id]["parents"]:
            if parent in steps and (parent in shown or depth == DEEPEST):
                where = "above" if parent in shown else "below"
                branch.add(f"{numbers[parent]}  {_name(steps[parent])} ({where})", style="dim")
                roots.append(parent)
            elif parent in steps:
                grow(branch.add(label(parent, depth + 1)), parent, depth + 1)
        return branch

    roots = [unique_id for unique_id in steps if unique_id not in read]
    for root in roots:  # those that are too deep for their branch are appended
        if root not in shown:
            yield grow(Tree(label(root, 1), guide_style="dim"), root, 1)


def _label(plan: Plan, step: Step, number: int, reason: str | None, width: int) -> Text:
    """Returns the line of a node: number, relation, kind, expected time; below it what else is to be said."""
    from textwrap import fill

    from rich.text import Text

    label = Text(f"{number}  ")
    label.append(_name(step), "bold")
    label.append(f"  {_kind(step)}", "cyan")
    if step["expected_seconds"] is not None:
        label.append(f"  {_seconds(step['expected_seconds'])}", "dim")
    if reason:
        label.append("\n" + fill(reason, width, **INDENTED), "dim")
    note = _note(plan, step)
    if note:
        label.append("\n" + fill(note, width, **INDENTED), "red" if _is_refused(plan, step) else "yellow")
    return label


def _last_lines(plan: Plan, command: str) -> Iterator[str]:
    """Yields what comes after the tree: what stays, what is left to later, how it is built, and by what."""
    if not plan["steps"]:
        return
    for word, names in (
        ("There, and untouched", plan["present"]),
        ("Left to a later command", plan["postponed"]),
    ):
        if names:
            more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
            shown = ", ".join(".".join(name.split(".")[2:]) for name in names[:NAMES_SHOWN])
            yield f"{word}: {shown}{more}"
    for source in plan.get("missing_sources", ()):
        yield f"Missing source: {_source(source)}"
    if plan["blocked"]:
        yield f"Not built by ensure: {plan['blocked']}"
        if not any(source["stops"] for source in plan.get("missing_sources", ())):
            yield f"Build them with: {plan['command']}"
        return
    if plan["way"] == "native":
        yield f"In the order of the numbers, with dbt's own nodes: {plan['way_reason']}"
    if any(_is_refused(plan, step) for step in plan["steps"]):
        yield f"Build what is refused with: {plan['command']}"
    yield f"Build them with: {command}"


def _one_reason(plan: Plan) -> str | None:
    """Returns why all required nodes are required, if there is one reason for all of them."""
    reasons = {step["reason"] for step in plan["steps"] if step["required"]}
    return reasons.pop() if len(reasons) == 1 else None


def _note(plan: Plan, step: Step) -> str | None:
    """Returns what is special about how a step is built."""
    if step["refusal"]:
        word = "refused" if _is_refused(plan, step) else "not from a hook"
        return f"{word}: {step['refusal']} ({step['path']})"
    return f"cloned from {step['cloned_from']}" if step["cloned_from"] else None


def _is_refused(plan: Plan, step: Step) -> bool:
    """Returns whether `ensure` would not build a step: a hook cannot, and dbt's own nodes are not used."""
    return bool(step["refusal"]) and plan["way"] != "native"


def _source(source: Mapping[str, Any]) -> str:
    """Returns a missing source: its name, its relation, and which step reads it."""
    reader = f", read by {'.'.join(source['read_by'].split('.')[2:])}" if source["read_by"] else ""
    return f"{source['name']} ({source['relation']}){reader}"


def _kind(step: Step) -> str:
    """Returns seed, snapshot, or a model's materialization."""
    kind = str(step["resource_type"])
    return str(step["materialization"]) if kind == "model" else kind


def _name(step: Step) -> str:
    """Returns schema and name of a step's relation."""
    relation = str(step["relation"] or step["name"]).replace('"', "").replace("`", "")
    return ".".join(relation.split(".")[-2:])


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.1f} s"


def _data(text: str) -> str:
    """Returns a text as GitHub's workflow commands have it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
