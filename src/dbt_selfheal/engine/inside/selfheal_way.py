"""Which way of building is the faster one, by how long the nodes took before.

In a hook nodes are built one after the other. dbt's own nodes run side by side, after one more start of
dbt and before one more plan; of a node's time, what Python does for it is not shared by threads. Like all
in this folder it runs in the environment of dbt, where dbt_selfheal need not be installed.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

# In seconds: what a build of dbt's takes more than an operation for each node of the project (an estimate),
# and what dbt does in Python for each node that it builds (docs/performance.md).
NODE, PYTHON = 0.001, 0.05
# How many seconds dbt's own nodes must save: beside them no lock is held in the database.
ADVANTAGE = 1.0
# From how many nodes on dbt's own are taken where it is not known how long they take.
UNKNOWN_FROM = 40


def choice(
    parents: Mapping[str, Sequence[str]], known: Mapping[str, float], threads: int, nodes: int
) -> tuple[str, str]:
    """Chooses the way that is expected to be the faster one.

    Args:
        parents: What each missing node reads, by unique id, in the order in which they are built.
        known: How long nodes took before, in seconds by unique id.
        threads: How many nodes dbt builds at once, by the profile.
        nodes: How many nodes the project has.

    Returns:
        `hook` or `native`, and why, for people.
    """
    count = len(parents)
    if threads < 2:
        return "hook", f"{count} are missing, and the profile has one thread"
    found = [known[unique_id] for unique_id in parents if unique_id in known]
    if len(found) * 2 < count:
        way = "native" if count >= UNKNOWN_FROM else "hook"
        return way, f"{count} are missing, and it is not known how long they take"
    usual = sum(found) / len(found)
    seconds = {unique_id: known.get(unique_id, usual) for unique_id in parents}
    alone = sum(seconds.values())
    beside = NODE * nodes + max(_side_by_side(parents, seconds, threads), PYTHON * count)
    way = "native" if beside + ADVANTAGE < alone else "hook"
    times = f"about {alone:.1f} s one after the other and {beside:.1f} s with {threads} threads"
    return way, f"{count} are missing, {times}, by earlier runs"


def _side_by_side(parents: Mapping[str, Sequence[str]], seconds: Mapping[str, float], threads: int) -> float:
    """Returns when the last one is done if each begins once what it reads is done and a thread is free."""
    done: dict[str, float] = {}
    free = [0.0] * threads
    heapq.heapify(free)
    for unique_id, read in parents.items():
        ready = max((done.get(parent, 0.0) for parent in read), default=0.0)
        done[unique_id] = max(ready, heapq.heappop(free)) + seconds[unique_id]
        heapq.heappush(free, done[unique_id])
    return max(done.values(), default=0.0)
