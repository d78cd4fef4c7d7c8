"""Random projects, what is taken away from their databases, and a command; drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import yaml
from hypothesis import strategies as st

KINDS = ("view", "table", "table", "incremental", "ephemeral", "snapshot")
COMMANDS = ("run", "run", "run", "build", "build", "test", "snapshot", "seed", "compile")
READABLE = {"view", "table", "incremental", "seed", "snapshot"}
SCHEMAS = ("other", "third")
PACKAGE = "later"  # its name comes after ours, and so do its hooks
PACKAGE_FOLDER = f"dbt_packages/{PACKAGE}/"
SEEDS = (
    'id,name\n1,a\n2,"b, c"\n3,\n',
    'id,code,day,share,said\n1,007,2020-02-29,0.10,"two\nlines"\n-2,08,,1e3,"quo""te"\n',
    "id,name,flag,Größe\n2147483647,Zürich 🏔,true,' ; -- \n0,  spaced  ,false,null\n",
    "id,name\n",
)


class Short:
    """Shown with what is not as usual, so that a case can be read, and pasted."""

    def __repr__(self) -> str:
        shown = [f"{f.name}={value!r}" for f in fields(self) if (value := getattr(self, f.name)) != f.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Node(Short):
    """One node of a project.

    Args:
        name: Its name, which is that of its file.
        kind: Its materialization, `seed` or `snapshot`.
        parents: The names of the nodes that it reads.
        source: The seed that it reads as a source, or an empty text.
        schema: What is added to the name of its schema, or an empty text.
        alias: Its alias, or an empty text.
        tested: Whether it has a data test.
        order_only: A node that it names in `-- depends_on:` alone, or an empty text.
        rows: Which of the contents of SEEDS a seed has.
        versions: Whether it has two versions, of which the second is the latest.
        in_package: Whether the package `later` has it.
        hooked: Whether it has a hook that adds a row to it.
        unit_tested: Whether it has a unit test.
    """

    name: str
    kind: str
    parents: tuple[str, ...] = ()
    source: str = ""
    schema: str = ""
    alias: str = ""
    tested: bool = False
    order_only: str = ""
    rows: int = 0
    versions: bool = False
    in_package: bool = False
    hooked: bool = False
    unit_tested: bool = False

    @property
    def path(self) -> str:
        """Where its code is; that of the latest version, if it has several."""
        folder = {"seed": "seeds", "snapshot": "snapshots"}.get(self.kind, "models")
        version = "_v2" if self.versions else ""
        place = PACKAGE_FOLDER if self.in_package else ""
        return f"{place}{folder}/{self.name}{version}.{'csv' if self.kind == 'seed' else 'sql'}"

    @property
    def data_file(self) -> str:
        """The file in the project that holds its data, or an empty text."""
        return f"files/{self.name}.csv" if self.kind == "external" else ""

    def relation(self, schema: str) -> str:
        """Returns the name of its relation with its schema; that of the latest version."""
        name = f"{self.name}_v2" if self.versions else self.alias or self.name
        return f"{schema}_{self.schema}.{name}" if self.schema else f"{schema}.{name}"

    def files(self, *, edited: bool = False) -> dict[str, str]:
        """Returns its files; edited: with a row more."""
        files = {self.path: self.code(edited)}
        if self.versions:
            files[self.path.replace("_v2.sql", "_v1.sql")] = self.code(edited=False)
        return files

    def code(self, edited: bool = False) -> str:
        """Returns the content of its file; edited: with a row more."""
        if self.kind == "seed":
            return SEEDS[self.rows]
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

    def unit_test(self, edited: bool) -> dict[str, object]:
        """Returns its unit test: a row from each of what it reads."""
        inputs = [f"ref('{parent}')" for parent in self.parents]
        inputs += [f"source('landed', '{self.source}')"] if self.source else []
        rows = [{"id": number} for number in range(1, len(inputs) + 1)]
        given = [{"input": each, "rows": [row]} for each, row in zip(inputs, rows, strict=True)]
        if self.order_only:
            given.append({"input": f"ref('{self.order_only}')", "rows": [{"id": 0}]})
        override = {"overrides": {"macros": {"is_incremental": False}}} if self.kind == "incremental" else {}
        return {
            **override,
            "name": f"unit_{self.name}",
            "model": self.name,
            "given": given,
            "expect": {"rows": [*rows, {"id": 99}] if edited else rows},
        }

    def _place(self) -> str:
        """Returns what its config has besides."""
        more = f", schema='{self.schema}'" if self.schema else ""
        more += f", alias='{self.alias}'" if self.alias else ""
        more += f", location='{self.data_file}', format='csv'" if self.data_file else ""
        return more + (", post_hook='insert into {{ this }} (id) values (77)'" if self.hooked else "")


@dataclass(frozen=True, repr=False)
class Case(Short):
    """A project, what is taken away from what it has built, and the command that is then run.

    Args:
        nodes: The nodes, parents before children.
        dropped: The names of nodes whose relations are dropped.
        edited: The name of a view whose code has changed since it was built, or an empty text.
        hooks: Whether the project has hooks: one before that writes a row, one at the end that reads a node.
        command: The arguments of dbt.
        late_hook: The node that a hook after ours reads, or an empty text.
        without_schema: The one of SCHEMAS that is dropped, with all that is in it, or an empty text.
        deleted: The names of nodes whose data files are deleted.
    """

    nodes: tuple[Node, ...]
    dropped: frozenset[str]
    edited: str
    hooks: bool
    command: tuple[str, ...]
    late_hook: str = ""
    without_schema: str = ""
    deleted: frozenset[str] = frozenset()

    def files(self, *, edited: bool = True, hooks: bool = True) -> dict[str, str]:
        """Returns the project's files, before or after the edit, and the hooks of its package or none."""
        files = {"files/kept.txt": "there is a folder for files\n"}
        for node in self.nodes:
            files.update(node.files(edited=edited and node.name == self.edited))
        files["models/properties.yml"] = yaml.safe_dump(self._properties(edited), sort_keys=False)
        if any(node.in_package for node in self.nodes) or self.late_hook:
            package: dict[str, object] = {"name": PACKAGE, "version": "1.0.0", "config-version": 2}
            if self.late_hook and hooks:
                package["on-run-start"] = [f"select count(*) from {{{{ ref('{self.late_hook}') }}}}"]
            files[f"{PACKAGE_FOLDER}dbt_project.yml"] = yaml.safe_dump(package)
            versioned = [_versions(node) for node in self.nodes if node.versions and node.in_package]
            files[f"{PACKAGE_FOLDER}models/properties.yml"] = yaml.safe_dump({"models": versioned})
        return files

    def _properties(self, edited: bool) -> dict[str, object]:
        """Returns the properties of the project's own nodes."""
        found: dict[str, object] = {"version": 2}
        sources = sorted({node.source for node in self.nodes if node.source})
        if sources:
            tables = [{"name": name} for name in sources]
            found["sources"] = [{"name": "landed", "schema": "{{ target.schema }}", "tables": tables}]
        own = [node for node in self.nodes if not node.in_package]
        for section, kinds in (
            ("seeds", {"seed"}),
            ("snapshots", {"snapshot"}),
            ("models", {"view", "table", "incremental", "external"}),
        ):
            entries: list[dict[str, object]] = []
            for node in own:
                if node.kind in kinds and (node.tested or node.versions):
                    tests = {"columns": [{"name": "id", "data_tests": ["not_null"]}]} if node.tested else {}
                    entries.append({**(_versions(node) if node.versions else {"name": node.name}), **tests})
            if entries:
                found[section] = entries
        unit_tests = [node.unit_test(edited and node.name == self.edited) for node in own if node.unit_tested]
        return {**found, "unit_tests": unit_tests} if unit_tests else found

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


def _versions(node: Node) -> dict[str, object]:
    return {"name": node.name, "latest_version": 2, "versions": [{"v": 1}, {"v": 2}]}


def _rarely(draw: st.DrawFn, one_in: int = 5) -> bool:
    return draw(st.integers(0, one_in - 1)) == 0


def _node(draw: st.DrawFn, number: int, before: Mapping[str, Node], kinds: tuple[str, ...]) -> Node:
    """Draws a node that reads some of those before it."""
    kind = draw(st.sampled_from(kinds))
    in_package = _rarely(draw, 6)
    names = [name for name, node in before.items() if node.in_package or not in_package]
    if not names:
        in_package, names = False, list(before)
    parents = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
    seeds = [name for name, node in before.items() if node.kind == "seed" and not node.in_package]
    others = [name for name in names if name not in parents]
    node = Node(
        f"{kind}_{number}",
        kind,
        parents,
        source="" if in_package else draw(st.sampled_from(["", "", "", *seeds])),
        order_only=draw(st.sampled_from(["", "", "", *others])),
        in_package=in_package,
        tested=draw(st.booleans()),
    )
    if kind == "ephemeral":
        return node
    node = replace(
        node,
        schema=draw(st.sampled_from(SCHEMAS)) if _rarely(draw) else "",
        hooked=kind in {"table", "incremental"} and _rarely(draw),
    )
    if kind in {"view", "table"} and _rarely(draw, 6):
        return replace(node, versions=True)
    if kind not in {"snapshot", "external"} and _rarely(draw):
        node = replace(node, alias=f"named_{number}")
    plain = kind in {"view", "table", "incremental"} and not in_package
    given = [before[name].kind for name in (*parents, node.order_only) if name]
    # dbt wants columns of all that a unit test is given, and one name for each.
    can_be = plain and "ephemeral" not in given and node.source not in parents
    unit_tested = can_be and _rarely(draw, 3)
    return replace(node, unit_tested=unit_tested)


def _command(draw: st.DrawFn, names: list[str]) -> tuple[str, ...]:
    """Draws a command and its selection: all, some with what is above or below them, or all but one."""
    command = draw(st.sampled_from(COMMANDS))
    if command in {"snapshot", "seed"} or _rarely(draw):
        return (command,)
    if _rarely(draw):
        return (command, "--exclude", draw(st.sampled_from(names)))
    selected = draw(st.lists(st.sampled_from(names), min_size=1, max_size=1 + len(names) // 8, unique=True))
    around = draw(st.sampled_from(["{}", "{}", "{}+", "+{}"]))
    return (command, "--select", *(around.format(name) for name in selected))


@st.composite
def cases(draw: st.DrawFn, most: int = 10, *, files: bool = False) -> Case:
    """Draws a case with at most so many nodes; `files`: whether the database can keep tables in files."""
    count = draw(st.integers(1, max(3, most // 6)))
    nodes = {
        (name := f"seed_{number}"): Node(
            name,
            "seed",
            tested=draw(st.booleans()),
            rows=draw(st.integers(0, len(SEEDS) - 1)),
            in_package=number > 0 and _rarely(draw, 3),
        )
        for number in range(count)
    }
    kinds = (*KINDS, "external") if files else KINDS
    for number in range(draw(st.integers(2, most - len(nodes)))):
        node = _node(draw, number, nodes, kinds)
        nodes[node.name] = node
    kept = [name for name, node in nodes.items() if node.kind != "ephemeral"]
    views = [name for name, node in nodes.items() if node.kind == "view"]
    in_files = [name for name, node in nodes.items() if node.data_file]
    of_package = [name for name in kept if nodes[name].in_package]
    return Case(
        tuple(nodes.values()),
        frozenset(draw(st.lists(st.sampled_from(kept), max_size=len(kept), unique=True))),
        draw(st.sampled_from(["", *views])),
        _rarely(draw, 4),
        _command(draw, list(nodes)),
        late_hook=draw(st.sampled_from(["", "", *of_package])),
        without_schema=draw(st.sampled_from(SCHEMAS)) if _rarely(draw, 6) else "",
        deleted=frozenset(draw(st.lists(st.sampled_from(in_files), unique=True)))
        if in_files
        else frozenset(),
    )
