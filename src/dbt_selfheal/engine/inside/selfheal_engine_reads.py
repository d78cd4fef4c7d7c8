"""What `dbt show`, `compile` and `docs generate` read, by what dbt v2 tells; selfheal_reads.py for v1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from selfheal_engine import Record
from selfheal_reads import ASKING, ASKS, COMPILED

REF = re.compile(r"\bref\(\s*(?:['\"]\w+['\"]\s*,\s*)?['\"](\w+)['\"]")


class Nodes(Protocol):
    """Tells what is in a project."""

    def all_nodes(self) -> Mapping[str, Record]:
        """Returns all seeds, snapshots, models and functions by unique id."""

    def nodes(
        self, selection: Sequence[str], kinds: Sequence[str], more: Sequence[str]
    ) -> Mapping[str, Record]:
        """Returns what a selection selects, of some kinds, with more keys than usual."""


def read_by(project: Nodes, reads: Mapping[str, Any]) -> list[str]:
    """Returns what a command reads, as the macros take it; `reads` is as in selfheal_reads.py."""
    known = project.all_nodes()
    if reads.get("inline"):
        names = set(REF.findall(reads["inline"]))
        return [entry(node) for node in known.values() if node["name"] in names]
    readers = project.nodes(reads["selection"], COMPILED, ("raw_code",))
    if reads["command"] == "docs" and reads["catalog"]:
        return [entry(known[name]) for name in readers if name in known]
    if reads["command"] != "show":
        readers = {name: node for name, node in readers.items() if _may_ask(node)}
    above = dict.fromkeys(name for node in readers.values() for name in node["depends_on"]["nodes"])
    return [entry(known[name]) for name in above if name in known]


def entry(node: Record) -> str:
    """Returns a node as the macros take it."""
    if node.get("version"):
        return f"fqn:{'.'.join(node['fqn'])}"
    return f"{node['package_name']}.{node['name']}"


def _may_ask(node: Record) -> bool:
    """Returns whether a node's Jinja may ask the database while it is compiled: a macro not of dbt's may."""
    macros = (node.get("depends_on") or {}).get("macros") or ()
    others = any(name in ASKING or not name.startswith("macro.dbt.") for name in macros)
    return others or ASKS.search(node.get("raw_code") or "") is not None
