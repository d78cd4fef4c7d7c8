"""Cases that random projects have found, shrunk."""

from __future__ import annotations

from random_projects.generator import Case, Node

FOUND: dict[str, Case] = {
    "a selected ephemeral model that nothing reads has a missing parent": Case(
        (
            Node("seed_0", "seed"),
            Node("table_0", "table", ("seed_0",)),
            Node("ephemeral_1", "ephemeral", ("table_0",)),
        ),
        dropped=frozenset({"table_0"}),
        edited="",
        hooks=False,
        command=("run", "--select", "ephemeral_1"),
    ),
}
