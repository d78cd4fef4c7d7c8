"""The health as one self-contained page: no script, nothing loaded from a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dbt_selfheal.models import STEP_NAMES

MOST_NODES = 80
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 204, 46, 40, 18, 6
SENTENCES = {
    "healthy": "Everything that was checked is as it should be.",
    "degraded": "It works, and something needs your attention.",
    "broken": "Commands will fail until this is put right.",
}
STATES = {"present": "there", "missing": "missing", "wrong_kind": "wrong kind", "drifted": "differs"}
TITLES = {
    "connectivity": "Connection", "project": "Project", "versions": "Versions",
    "required_relations": "Required relations", "schema": "Schema", "migrations": "Migrations",
    "initial_data": "Initial data", "row_counts": "Rows", "data_tests": "Data tests", "lock": "Lock",
    "disk": "Disk", "database_size": "Size", "last_initialization": "Last initialization",
}  # fmt: skip


def page(report: Mapping[str, Any]) -> str:
    """Returns a health report as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    attempts = report["attempts"]
    return environment.get_template("health.html.j2").render(
        report=report,
        sentence=SENTENCES[report["verdict"]],
        titles=TITLES,
        states=STATES,
        to_do=sorted((c for c in report["checks"] if c["what_to_do"]), key=lambda c: c["status"] != "failed"),
        timeline=timeline(attempts[-1]) if attempts else None,
        graph=graph(report["required"]),
        trend=trend(attempts),
        moment=moment,
        seconds=seconds,
    )


def moment(text: str | None) -> str:
    """Returns a time of a report for people."""
    return "" if not text else f"{text[:10]} {text[11:19]} UTC"


def seconds(value: float | None) -> str:
    """Returns a duration for people."""
    if value is None:
        return ""
    if value >= 90:
        return f"{value / 60:.1f} min"
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def timeline(attempt: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the rows of an attempt's timeline: steps and nodes, in the order of their starts."""
    entries = [
        {**step, "name": STEP_NAMES.get(step["step_name"], step["step_name"]), "kind": "step"}
        for step in attempt.get("steps") or []
    ]
    entries += [
        {**node, "name": node["unique_id"].split(".", 2)[-1], "kind": node["resource_type"]}
        for node in attempt.get("nodes") or []
    ]
    entries = [entry for entry in entries if entry.get("started_at") and entry.get("completed_at")]
    entries.sort(key=lambda entry: (entry["started_at"], entry["kind"] != "step"))
    start, end = _time(attempt["started_at"]), _time(attempt["completed_at"])
    whole = max((end - start).total_seconds(), 0.001)
    rows = []
    for entry in entries:
        left = min(max((_time(entry["started_at"]) - start).total_seconds() / whole, 0.0), 1.0)
        width = min(max((entry["duration_seconds"] or 0.0) / whole, 0.004), 1 - left)
        rows.append({**entry, "left": round(left * 100, 2), "width": round(max(width, 0.004) * 100, 2)})
    return {"attempt": attempt, "rows": rows, "ticks": [whole * part / 4 for part in range(5)]}


def trend(attempts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Returns the bars of the attempts' durations and their totals; None when there are fewer than two."""
    if len(attempts) < 2:
        return None
    longest = max(float(attempt["duration_seconds"] or 0) for attempt in attempts) or 1.0
    bars = [
        {
            "height": round(max(float(attempt["duration_seconds"] or 0) / longest, 0.03) * 100, 1),
            "ok": attempt["state"] == "completed",
            "title": f"{moment(attempt['started_at'])}: {attempt['state']} in "
            f"{seconds(attempt['duration_seconds'])}, {attempt['built']} built",
        }
        for attempt in attempts
    ]
    good = [attempt for attempt in attempts if attempt["state"] == "completed"]
    times = sorted(float(attempt["duration_seconds"] or 0) for attempt in good)
    causes: dict[str, int] = {}
    for attempt in attempts:
        if attempt["state"] != "completed":
            cause = str(attempt.get("error_code") or "unknown")
            causes[cause] = causes.get(cause, 0) + 1
    return {
        "bars": bars,
        "longest": longest,
        "count": len(attempts),
        "rate": round(100 * len(good) / len(attempts)),
        "median": times[len(times) // 2] if times else None,
        "causes": sorted(causes.items(), key=lambda item: -item[1]),
        "first": attempts[0]["started_at"],
        "last": attempts[-1]["started_at"],
    }


def graph(relations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns boxes and edges of the graph of required relations, parents left of children.

    Of a large graph only what is not in order is drawn, with its neighbours.
    """
    shown = _shown(relations)
    known = {entry["unique_id"] for entry in shown}
    parents = {entry["unique_id"]: [p for p in entry["parents"] if p in known] for entry in shown}
    layers = _layers(parents)
    places: dict[str, tuple[int, int]] = {}
    tallest = max((len(layer) for layer in layers), default=0)
    for x, layer in enumerate(layers):
        offset = (tallest - len(layer)) * (BOX_HEIGHT + GAP_Y) // 2
        for y, name in enumerate(layer):
            places[name] = (
                MARGIN + x * (BOX_WIDTH + GAP_X),
                MARGIN + offset + y * (BOX_HEIGHT + GAP_Y),
            )
    boxes = [
        {
            **entry,
            "x": places[entry["unique_id"]][0],
            "y": places[entry["unique_id"]][1],
            "label": _label(entry),
        }
        for entry in shown
    ]
    edges = [_edge(places[parent], places[child]) for child, above in parents.items() for parent in above]
    return {
        "boxes": boxes,
        "edges": edges,
        "width": 2 * MARGIN + len(layers) * (BOX_WIDTH + GAP_X) - GAP_X if layers else 0,
        "height": 2 * MARGIN + tallest * (BOX_HEIGHT + GAP_Y) - GAP_Y if layers else 0,
        "left_out": len(relations) - len(shown),
        "box_width": BOX_WIDTH,
        "box_height": BOX_HEIGHT,
    }


def _shown(relations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if len(relations) <= MOST_NODES:
        return list(relations)
    wrong = {entry["unique_id"] for entry in relations if entry["state"] != "present"}
    near = wrong | {
        parent for entry in relations if entry["unique_id"] in wrong for parent in entry["parents"]
    }
    chosen = [e for e in relations if e["unique_id"] in near or wrong & set(e["parents"])]
    return (chosen or list(relations))[:MOST_NODES]


def _layers(parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Returns the nodes in layers, each right of its parents, ordered so that few edges cross."""
    depth: dict[str, int] = {}
    waiting = list(parents)
    while waiting:
        ready = [name for name in waiting if all(parent in depth for parent in parents[name])]
        for name in ready or waiting:  # nodes that need each other are put side by side
            depth[name] = 1 + max((depth.get(parent, -1) for parent in parents[name]), default=-1)
        waiting = [name for name in waiting if name not in depth]
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in sorted(depth):
        layers[depth[name]].append(name)
    children: dict[str, list[str]] = {name: [] for name in parents}
    for name, above in parents.items():
        for parent in above:
            children[parent].append(name)
    for sweep in range(6):
        neighbours: Mapping[str, Sequence[str]] = parents if sweep % 2 == 0 else children
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            place = {name: index / max(len(each), 1) for each in layers for index, name in enumerate(each)}
            layer.sort(key=lambda name: _mean([place[n] for n in neighbours[name]], place[name]))
    return layers


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _edge(parent: tuple[int, int], child: tuple[int, int]) -> str:
    """Returns the path of a curve from the right of one box to the left of another."""
    x1, y1 = parent[0] + BOX_WIDTH, parent[1] + BOX_HEIGHT // 2
    x2, y2 = child[0], child[1] + BOX_HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _label(entry: Mapping[str, Any]) -> str:
    name = str(entry["name"])
    return name if len(name) <= 23 else name[:22] + "…"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
