"""What dbt itself answers to a selection: graph operators, methods, intersections, --exclude, --selector.

Like all in this folder it runs in the environment of dbt, where dbt_selfheal need not be installed.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from selfheal_invocations import Invocations
from selfheal_job import FailedError

KINDS = ("seed", "snapshot", "model")
# Methods that depend on an earlier run: that they find nothing is an answer, and no mistake.
OF_STATE = ("state:", "result:", "source_status:")


def select(
    dbt: Invocations, arguments: list[str], *, kinds: tuple[str, ...] = KINDS, strict: bool = True
) -> list[str]:
    """Returns the unique ids that dbt selects.

    Args:
        dbt: How dbt is invoked; it has read the project.
        arguments: Those of `dbt ls` that select.
        kinds: The resource types that count.
        strict: Whether a criterion that matches nothing is an error.

    Raises:
        FailedError: dbt refuses the selection, or a criterion matches nothing; it has been reported.
    """
    from dbt.cli.main import dbtRunner

    unmatched: list[str] = []

    def callback(message: Any) -> None:
        if message.info.name == "NoNodesForSelectionCriteria":
            unmatched.append(message.data.spec_raw)
        elif message.info.name == "SelectorReportInvalidSelector":
            dbt.reporter.send("selection", message=message.info.msg)
        elif message.info.level == "error":
            dbt.reporter.callback(message)

    runner = dbtRunner(manifest=dbt.manifest, callbacks=[callback])
    command = ["ls", "--output", "json", "--output-keys", "unique_id", "--quiet", *arguments]
    command += [text for kind in kinds for text in ("--resource-type", kind)]
    result = runner.invoke([*command, *dbt.request["arguments"]])
    if not result.success:
        dbt.reporter.send("selection", message=str(result.exception or "dbt refused the selection"))
        raise FailedError
    typed = {word for argument in arguments for word in re.split(r"[\s,]+", argument)}
    for criterion in unmatched if strict else ():
        if criterion in typed and not _bare(criterion).startswith(OF_STATE):
            dbt.reporter.send("selection", message=_unknown(dbt, criterion))
            raise FailedError
    return [json.loads(line)["unique_id"] for line in result.result or []]


def entries(dbt: Invocations, unique_ids: list[str]) -> list[str]:
    """Returns nodes as the macros take them: `package.name`, or for a version of a model its full name."""
    nodes = (dbt.manifest.nodes[unique_id] for unique_id in unique_ids)
    return [
        f"fqn:{'.'.join(node.fqn)}" if getattr(node, "version", None) else f"{node.package_name}.{node.name}"
        for node in nodes
    ]


def required(dbt: Invocations, arguments: list[str]) -> list[str]:
    """Returns what a selection requires, as the macros take it; raises FailedError if that is nothing."""
    found = select(dbt, arguments)
    if not found:
        text = f"{' '.join(arguments)} selects no enabled seed, snapshot or model"
        dbt.reporter.send("selection", message=text)
        raise FailedError
    return entries(dbt, found)


def _bare(criterion: str) -> str:
    """Returns a criterion without its graph operators."""
    return re.sub(r"^(@|\d*\+)|\+\d*$", "", criterion)


def _unknown(dbt: Invocations, criterion: str) -> str:
    """Returns what is said of a criterion that matches nothing, with names that are near."""
    bare = _bare(criterion)
    if ":" in bare:
        return f"the selection names {criterion!r}, and nothing that is enabled matches it"
    disabled = [node for each in dbt.manifest.disabled.values() for node in each if node.name == bare]
    if disabled:
        place = disabled[0].original_file_path
        return (
            f"the selection names {criterion!r}, and that {disabled[0].resource_type} is disabled ({place})"
        )
    names = {node.name for node in dbt.manifest.nodes.values() if node.resource_type in KINDS}
    near = difflib.get_close_matches(bare, sorted(names), 3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return f"the selection names {criterion!r}, and nothing that is enabled has that name{hint}"
