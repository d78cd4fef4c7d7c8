"""Random projects, what is taken away from their databases, and a command; drawn by hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

KINDS = ("view", "table", "table", "incremental", "ephemeral", "snapshot")
COMMANDS = ("run", "run", "run", "build", "build", "test", "snapshot", "seed", "compile")
READABLE = {"view", "table", "incremental", "seed", "snapshot"}


@dataclass(frozen=True)
class Node:
    """One node of a project.

    Args:
        name: Its name, which is that of its file.
        kind: Its materialization, `seed` or `snapshot`.
        parents: The names of the nodes that it reads.
        source: The seed that it reads as a source, or an empty text.
        other_schema: Whether it is in a schema of its own.
        alias: Its alias, or an empty text.
        tested: Whether it has a data test.
        order_only: A node that it names in `-- depends_on:` alone, or an empty text.
    """

    name: str
    kind: str
    parents: tuple[str, ...] = ()
    source: str = ""
    other_schema: bool = False
    alias: str = ""
    tested: bool = False
    order_only: str = ""

    @property
    def path(self) -> str:
        """Where its code is."""
        folder = {"seed": "seeds", "snapshot": "snapshots"}.get(self.kind, "models")
        return f"{folder}/{self.name}.{'csv' if self.kind == 'seed' else 'sql'}"

    def relation(self, schema: str) -> str:
        """Returns the name of its relation with its schema."""
        return (
            f"{schema}_other.{self.alias or self.name}"
            if self.other_schema
            else f"{schema}.{self.alias or self.name}"
        )

    def code(self, edited: bool = False) -> str:
        """Returns the content of its file; edited: with a row more."""
        if self.kind == "seed":
            return 'id,name\n1,a\n2,"b, c"\n3,\n'
        reads = [f"select id from {{{{ ref('{parent}') }}}}" for parent in self.parents]
        if self.source:
            reads.append(f"select id from {{{{ source('landed', '{self.source}') }}}}")
        sql = "\nunion all\n".join(reads or ["select 1 as id"])
        if edited:
            sql += "\nunion all\nselect 99 as id"
        if self.order_only:
            sql = f"-- depends_on: {{{{ ref('{self.order_only}') }}}}\n{sql}"
        if self.kind == "snapshot":
            config = "unique_key='id', strategy='check', check_cols=['id']"
            sql = f"select distinct id from (\n{sql}\n) rows"
            config = f"{{{{ config({config}{self._place()}) }}}}"
            return f"{{% snapshot {self.name} %}}\n{config}\n{sql}\n{{% endsnapshot %}}\n"
        if self.kind == "incremental":
            sql += "\n{% if is_incremental() %}except select id from {{ this }}{% endif %}"
        return f"{{{{ config(materialized='{self.kind}'{self._place()}) }}}}\n{sql}\n"

    def _place(self) -> str:
        return (", schema='other'" if self.other_schema else "") + (
            f", alias='{self.alias}'" if self.alias else ""
        )


@dataclass(frozen=True)
class Case:
    """A project, what is taken away from what it has built, and the command that is then run.

    Args:
        nodes: The nodes, parents before children.
        dropped: The names of nodes whose relations are dropped.
        edited: The name of a view whose code has changed since it was built, or an empty text.
        hooks: Whether the project has hooks: one before that writes a row, one at the end that reads a node.
        command: The arguments of dbt.
    """

    nodes: tuple[Node, ...]
    dropped: frozenset[str]
    edited: str
    hooks: bool
    command: tuple[str, ...]

    def files(self, *, edited: bool = True) -> dict[str, str]:
        """Returns the project's files, before or after the edit."""
        files = {node.path: node.code(edited and node.name == self.edited) for node in self.nodes}
        sources = sorted({node.source for node in self.nodes if node.source})
        lines = ["version: 2"]
        if sources:
            tables = ", ".join(f"{{name: {name}}}" for name in sources)
            lines.append(
                f'sources: [{{name: landed, schema: "{{{{ target.schema }}}}", tables: [{tables}]}}]'
            )
        tested = [node for node in self.nodes if node.tested and node.kind != "ephemeral"]
        for section, kinds in (
            ("seeds", {"seed"}),
            ("snapshots", {"snapshot"}),
            ("models", READABLE - {"seed", "snapshot"}),
        ):
            names = [node.name for node in tested if node.kind in kinds]
            if names:
                lines.append(f"{section}:")
                lines += [
                    f"  - {{name: {name}, columns: [{{name: id, data_tests: [not_null]}}]}}" for name in names
                ]
        files["models/properties.yml"] = "\n".join(lines) + "\n"
        return files

    def config(self) -> dict[str, object]:
        """Returns what dbt_project.yml has besides."""
        if not self.hooks:
            return {}
        last = next(node.name for node in reversed(self.nodes) if node.kind in READABLE)
        return {
            "on-run-start": [
                "create table if not exists {{ target.schema }}.audit (word varchar)",
                "insert into {{ target.schema }}.audit values ('{{ flags.WHICH }}')",
            ],
            "on-run-end": [f"select count(*) from {{{{ ref('{last}') }}}}"],
        }


@st.composite
def cases(draw: st.DrawFn, most: int = 10) -> Case:
    """Draws a case with at most so many nodes."""
    count = draw(st.integers(1, 3))
    nodes = [Node(f"seed_{number}", "seed", tested=draw(st.booleans())) for number in range(count)]
    seeds = [node.name for node in nodes]
    for number in range(draw(st.integers(2, most - len(nodes)))):
        names = [node.name for node in nodes]
        parents = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
        source = draw(st.sampled_from(["", "", "", *seeds]))
        others = [name for name in names if name not in parents]
        order_only = draw(st.sampled_from(["", "", "", *others]))
        kind = draw(st.sampled_from(KINDS))
        nodes.append(
            Node(
                f"{kind}_{number}",
                kind,
                parents,
                source=source,
                other_schema=kind != "ephemeral" and draw(st.integers(0, 4)) == 0,
                alias=f"named_{number}"
                if kind not in {"ephemeral", "snapshot"} and draw(st.integers(0, 4)) == 0
                else "",
                tested=draw(st.booleans()),
                order_only=order_only,
            )
        )
    kept = [node.name for node in nodes if node.kind != "ephemeral"]
    views = [node.name for node in nodes if node.kind == "view"]
    command = draw(st.sampled_from(COMMANDS))
    selected = draw(st.sampled_from([node.name for node in nodes]))
    before, after = draw(st.sampled_from([("", ""), ("", ""), ("", "+"), ("+", "")]))
    arguments: tuple[str, ...] = (command,)
    if command not in {"snapshot", "seed"} and draw(st.integers(0, 4)) > 0:
        arguments += ("--select", f"{before}{selected}{after}")
    return Case(
        tuple(nodes),
        frozenset(draw(st.lists(st.sampled_from(kept), max_size=len(kept), unique=True))),
        draw(st.sampled_from(["", *views])),
        draw(st.integers(0, 3)) == 0,
        arguments,
    )
