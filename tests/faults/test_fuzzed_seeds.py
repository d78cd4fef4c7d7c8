# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Damaged CSV files: each is loaded as `dbt seed` loads it, or refused by its name; never is a table half loaded."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from catalog import differences
from conftest import ProjectFactory
from faults.bed import facts
from faults.conftest import WarmProjectFactory
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite, pytest.mark.dbt_version(">=1.9")]

FILES_IN_ALL = 520
FILES_BY_DEFAULT = 60
PIECES = (
    b'"', b"'", b",", b";", b"\n", b"\r\n", b"\r", b"\t", b'""', b'",', b',"', b"\\", b"\x00", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"null",
    b"NaN", b"inf", b"1e400", b"-0", b"99999999999999999999999999", b"{{ 1 }}", b"%s", b"$1", b"--", b"/*", "😀".encode(), b" ", b"\x1a",
    b"2024-02-30", b"0000-00-00", b"true", b"x" * 5000,
)  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """Returns a file of a few rows with up to four damages."""
    columns = chance.randint(1, 5)
    values = [b"1", b"2.5", b"text", b"", b"2024-01-01", b"true", b'"quoted, text"', b'"two\nlines"']
    lines = [b",".join(b"c%d" % n for n in range(columns))]
    lines += [b",".join(chance.choices(values, k=columns)) for _ in range(chance.randint(0, 6))]
    content = b"\n".join(lines) + chance.choice([b"\n", b"", b"\n\n"])
    for _ in range(chance.randint(0, 4)):
        place = chance.randint(0, len(content))
        how = chance.random()
        if how < 0.6:
            content = content[:place] + chance.choice(PIECES) + content[place:]
        elif how < 0.8:
            content = content[:place] + content[place + chance.randint(1, 5) :]
        elif how < 0.9:
            content = content[:place]
        else:
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    return content


def parses(project: DbtProject) -> list[str]:
    """Removes files that dbt's own parser stops at, until it reads the project; returns what is left."""
    while True:
        result = project.dbt("parse", check=False)
        left = sorted(path.stem for path in (project.folder / "seeds").glob("*.csv"))
        if result.returncode == 0:
            return left
        named = re.findall(r"f\d{3}", result.output)
        assert named, result.explain()
        for name in set(named):
            (project.folder / "seeds" / f"{name}.csv").unlink(missing_ok=True)


@pytest.mark.timeout(3600)
def test_damaged_files_are_loaded_as_dbt_loads_them_or_refused_by_name(
    make_project: ProjectFactory,
    make_warm_project: WarmProjectFactory,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    count = FILES_IN_ALL if pytestconfig.getoption("--faults") else FILES_BY_DEFAULT
    chance = random.Random(20260101)
    content: dict[str, bytes] = {}
    while len(content) < count:
        made = {f"f{number:03}": damaged(chance) for number in range(len(content), count)}
        content |= {name: data for name, data in made.items() if _is_text(data)}
        content = {f"f{number:03}": data for number, data in enumerate(content.values())}
    plain = make_project({"models/a.sql": "select 1 as id"}, install=False)
    (plain.folder / "seeds").mkdir()
    for name, data in content.items():
        (plain.folder / "seeds" / f"{name}.csv").write_bytes(data)
    names = parses(plain)
    assert len(names) >= count * 0.9
    outcome = plain.dbt("seed", check=False, timeout=600).statuses
    loaded = {name for name in names if outcome[name] == "success"}
    healed = make_warm_project(
        {"models/a.sql": "select 1 as id", "seeds/first.csv": "id\n1\n"},
        "seed",
        "-s",
        "first",
        settings={"lock_timeout_seconds": 60},
    )
    (healed.folder / "seeds").mkdir(exist_ok=True)
    for name in names:
        (healed.folder / "seeds" / f"{name}.csv").write_bytes(content[name])
    healed.dbt("seed", "-s", "first")
    surprises: list[str] = []
    refused: set[str] = set()
    left = list(names)
    while left:
        result = healed.dbt(
            "run-operation", "ensure_initialized", args={"select": left}, check=False, timeout=600
        )
        if result.returncode == 0:
            break
        text = " ".join(result.output.split())
        named = (
            re.search(r"seeds/(f\d{3})\.csv|seed (f\d{3})\b", text.split("dbt_selfheal:")[-1])
            if "dbt_selfheal:" in text
            else None
        )
        if named is None:  # the database's own error, in the middle: what is there must be whole
            begun = re.findall(r"START seed \S*\.(f\d{3}) ", result.output)
            name = begun[-1] if begun else ""
            surprises += [] if name and name not in loaded else [f"{name}: not named: {text[-600:]}"]
            if not name:
                break
        else:
            name = named.group(1) or named.group(2)
            if healed.names() - {"first"} - (loaded if refused else set()):
                surprises.append(f"{name}: refused after something was built: {sorted(healed.names())[:5]}")
        refused.add(name)
        left.remove(name)
        if "Traceback" in result.output:
            surprises.append(f"{name}: a traceback")
    surprises += [
        f"{name}: `dbt seed` refuses it, healing loaded it: {content[name]!r}" for name in set(left) - loaded
    ]
    stricter = sorted(refused & loaded)
    healed.drop("first")
    whole = {
        name: known for name, known in facts(plain.database).items() if name.split(".")[1] not in stricter
    }
    surprises += [str(difference) for difference in differences(whole, facts(healed.database))]
    record_property(
        "survived",
        f"{healed.database.adapter}: {len(names)} damaged CSV files: {len(left)} loaded as `dbt seed` loads them, {len(refused)} refused by "
        f"name ({len(stricter)} of these `dbt seed` takes), {len(surprises)} surprises",
    )
    assert not surprises, "\n".join(surprises)


def _is_text(data: bytes) -> bool:
    """Tells whether dbt's parser, which reads every file as UTF-8, gets past it."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
