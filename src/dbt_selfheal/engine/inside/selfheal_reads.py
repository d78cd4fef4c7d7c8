"""What `dbt show`, `dbt compile` and `dbt docs generate` read: none of them runs a hook that would heal it.

    show           runs the query of each selected node, or the one given inline: all that those read
    compile        sends what a node's own Jinja asks the database: what the nodes read that ask
    docs generate  compiles, and looks into the catalog: the selected relations themselves

Like all in this folder it runs in the environment of dbt, where dbt_selfheal need not be installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from selfheal_invocations import Invocations
from selfheal_selection import KINDS, entries, select

COMPILED = (*KINDS, "test", "analysis")
ASKS = re.compile(r"\b(adapter\s*\.|run_query\b|statement\b|load_relation\b|graph\s*\.)")
ASKING = {"macro.dbt.run_query", "macro.dbt.statement", "macro.dbt.get_columns_in_query"}


def read_by(dbt: Invocations, reads: dict[str, Any]) -> list[str]:
    """Returns what a command reads, as the macros take it.

    Args:
        dbt: How dbt is invoked; it has read the project.
        reads: `command` (show, compile, docs), `selection` (arguments of dbt ls), `inline` (SQL, or null),
            `catalog` (whether the catalog is read).
    """
    if reads.get("inline"):
        found = [*_parents(dbt, [_inline(dbt, reads["inline"])])]
    else:
        names = select(dbt, reads["selection"], kinds=COMPILED, strict=False)
        nodes = [dbt.manifest.nodes[name] for name in names]
        if reads["command"] == "docs" and reads["catalog"]:
            found = [node.unique_id for node in nodes if node.resource_type in KINDS]
        elif reads["command"] == "show":
            found = [*_parents(dbt, nodes)]
        else:
            asking = [node for node in _with_ephemeral(dbt, nodes) if _asks(dbt, node)]
            found = [*_parents(dbt, asking)]
    return entries(dbt, list(dict.fromkeys(found)))


def _inline(dbt: Invocations, sql: str) -> Any:
    """Returns the node that dbt makes of SQL given inline; also of SQL that cannot be compiled yet."""
    from dbt.cli.main import dbtRunner

    before = set(dbt.manifest.nodes)
    result = dbtRunner(manifest=dbt.manifest, callbacks=[]).invoke(
        ["compile", "--inline", sql, "--quiet", *dbt.request["arguments"]]
    )
    left = [name for name in dbt.manifest.nodes if name not in before]  # when its compilation failed
    if left:
        return dbt.manifest.nodes.pop(left[0])
    return result.result.results[0].node if result.result and result.result.results else None


def _parents(dbt: Invocations, nodes: Iterable[Any]) -> Iterator[str]:
    """Yields the seeds, snapshots and models that nodes read, and those that make sources that they read."""
    manifest = dbt.manifest
    makers: dict[tuple[str, str, str], str] = {}
    for node in nodes:
        for parent in node.depends_on_nodes if node is not None else ():
            if parent in manifest.sources:
                makers = makers or {_place(each, each.alias): name for name, each in manifest.nodes.items()}
                source = manifest.sources[parent]
                maker = makers.get(_place(source, source.identifier))
                if maker is not None and manifest.nodes[maker].resource_type in KINDS:
                    yield maker
            elif parent in manifest.nodes and manifest.nodes[parent].resource_type in KINDS:
                yield parent


def _place(node: Any, name: str) -> tuple[str, str, str]:
    return str(node.database).lower(), str(node.schema).lower(), str(name).lower()


def _with_ephemeral(dbt: Invocations, nodes: list[Any]) -> list[Any]:
    """Returns nodes, and the ephemeral models that are compiled into them."""
    found = {node.unique_id: node for node in nodes}
    queue = list(nodes)
    for node in queue:
        for name in node.depends_on_nodes:
            parent = dbt.manifest.nodes.get(name)
            if parent is not None and name not in found and getattr(parent, "is_ephemeral_model", False):
                found[name] = parent
                queue.append(parent)
    return list(found.values())


def _asks(dbt: Invocations, node: Any) -> bool:
    """Returns whether a node's Jinja, macros included, may ask the database while it is compiled."""
    if ASKS.search(getattr(node, "raw_code", "") or ""):
        return True
    dbts = ("dbt", f"dbt_{dbt.manifest.metadata.adapter_type}")  # whose macros are known by their names
    seen: set[str] = set()
    queue = list(node.depends_on_macros)
    for name in queue:
        macro = dbt.manifest.macros.get(name)
        if name in seen or macro is None:
            continue
        seen.add(name)
        if name in ASKING or (macro.package_name not in dbts and ASKS.search(macro.macro_sql)):
            return True
        queue += macro.depends_on.macros
    return False
