"""A project of 1,000 models over one seed, each read by others up to one leaf."""

from __future__ import annotations

from collections.abc import Mapping

LAYERS = 25
WIDTH = 40
_MATERIALIZATIONS = ("table", "view", "incremental", "table")


def files(layers: int = LAYERS, width: int = WIDTH) -> Mapping[str, str]:
    """The files of the project by path: `layers` times `width` models and the leaf.

    Args:
        layers: How many models stand above each other.
        width: How many stand in each layer; each reads two of the layer before.
    """
    found = {"seeds/numbers.csv": "id,value\n" + "".join(f"{n},{n * 7}\n" for n in range(100))}
    for layer in range(layers):
        for place in range(width):
            if layer:
                first, second = (_name(layer - 1, (place + step) % width) for step in (0, 1))
                sql = (
                    f"select a.id, a.value + b.value % 10 as value from {{{{ ref('{first}') }}}} a\n"
                    f"join {{{{ ref('{second}') }}}} b on b.id = a.id"
                )
            else:
                sql = f"select id, value + {place} as value from {{{{ ref('numbers') }}}}"
            # no view over a view over a view: what is compared is building, not the database's planner
            kind = "table" if layer % 2 == 0 else _MATERIALIZATIONS[place % len(_MATERIALIZATIONS)]
            found[f"models/layer_{layer:02}/{_name(layer, place)}.sql"] = (
                f"{{{{ config(materialized='{kind}') }}}}\n{sql}\n"
            )
    last = [_name(layers - 1, place) for place in range(width)]
    found["models/leaf.sql"] = "{{ config(materialized='table') }}\n" + "\nunion all ".join(
        f"select '{name}' as name, sum(value) as total from {{{{ ref('{name}') }}}}" for name in last
    )
    return found


def _name(layer: int, place: int) -> str:
    return f"m_{layer:02}_{place:02}"
