"""The fast way of large seeds (macros/build/seed_duckdb.sql) makes the same table as `dbt seed`."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import events, in_rounds
from functional.test_seeds_to_the_letter import SHAPES, Seed, write
from hypothesis import strategies as st
from support import DbtProject

pytestmark = pytest.mark.duckdb

FILES_PER_ROUND = 35  # more than that is more than Hypothesis draws for one example
ROUNDS = 10
# What seeds hold mostly; all other shapes come in between.
PLAIN: dict[str, st.SearchStrategy[str]] = {
    "integers": st.integers(-(2**31), 2**31 - 1).map(str),
    "leading zeros": st.integers(0, 99999).map(lambda n: f"{n:06}"),
    "decimals": st.decimals(-(10**6), 10**6, places=3).map(str),
    "floats": st.floats(-1e6, 1e6, allow_nan=False).map(str),
    "dates": st.dates().map(str),
    "date-times": st.datetimes().map(lambda d: d.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")),
    "iso date-times": st.datetimes().map(lambda d: d.isoformat()),
    "booleans": st.sampled_from(["true", "false", "True", "FALSE"]),
    "words": st.sampled_from(["Ann", "Bob Smith", "tea", "née", "größer", "あい", "east", "nan a", "e"]),
    "codes": st.integers(0, 9999).map(lambda n: f"AB{n}"),
    "quoted": st.sampled_from(['say "hi"', "a,b", "a;b", "a|b", 'x""y', "it's", "{{ x }}", "100 %"]),
    "phones": st.integers(0, 9999).map(lambda n: f"555-{n:04}"),
}
# By default only files above 1 MiB go the fast way.
LARGE = {
    "macros/large.sql": "{% macro duckdb___traits() %}"
    "{% do return(dict(dbt_selfheal.duckdb___traits(), small_seed_outlines=true)) %}{% endmacro %}"
}
DISPATCH = [{"macro_namespace": "dbt_selfheal", "search_order": ["shop", "dbt_selfheal"]}]
GAPS = st.just("")  # DuckDB itself cannot load the words that dbt takes for null into typed columns


@st.composite
def files(draw: st.DrawFn) -> Seed:
    """Draws a file such as people have: columns of one shape with gaps, and now and then something odd."""
    names = draw(
        st.lists(
            st.sampled_from(["id", "Name", "größe", "with space", "a_b", "x1"]),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    count = draw(st.integers(1, 6))
    columns = []
    for _ in names:
        odd = draw(st.integers(0, 11)) == 0
        values = draw(st.sampled_from(list((SHAPES if odd else PLAIN).values())))
        if draw(st.booleans()):
            values = values | GAPS
        columns.append(draw(st.lists(values, min_size=count, max_size=count)))
    delimiter = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    file = io.StringIO()
    ends = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    if draw(st.integers(0, 2)) == 0:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=ends)
    else:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=ends)
    writer.writerows([names, *zip(*columns, strict=True)])
    text = file.getvalue()
    if draw(st.integers(0, 3)) == 0:
        text = text.removesuffix(ends)
    config = {"quote_columns": True, **({} if delimiter == "," else {"delimiter": delimiter})}
    if draw(st.integers(0, 4)) == 0:
        config["column_types"] = {names[0]: "varchar"}
    return Seed(("\ufeff" if draw(st.integers(0, 5)) == 0 else "") + text, config)


def load_and_compare(plain: DbtProject, healed: DbtProject, seeds: list[Seed]) -> Counter[str]:
    """Loads seeds with `dbt seed` and by healing, and compares columns and rows.

    Returns:
        How many were read by which reader; those that `dbt seed` cannot load are left out.
    """
    for project in (plain, healed):
        project.drop(*project.relations())
        write(project, seeds)
    result = plain.dbt("seed", check=False)
    loaded = [name for name, status in result.statuses.items() if status == "success"]
    assert len(loaded) >= len(seeds) / 2, result.explain()
    done = healed.dbt("run-operation", "ensure_initialized", args={"select": loaded})
    for name in loaded:
        content = seeds[int(name[1:])]
        assert healed.columns(name) == plain.columns(name), content
        assert healed.rows(name) == plain.rows(name), content
    return Counter(event["reader"] for event in events(done, "initialization_seed_checked"))


@pytest.fixture
def pair(make_project: ProjectFactory) -> tuple[DbtProject, DbtProject]:
    """A project that loads seeds the plain way, and one that heals them, on databases of their own."""
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 600}}, "dispatch": DISPATCH}
    return make_project({}, install=False), make_project(LARGE, config=config)


@pytest.mark.timeout(900)
def test_the_fast_way_makes_the_table_that_dbt_seed_makes(
    pair: tuple[DbtProject, DbtProject], pytestconfig: pytest.Config
) -> None:
    """Generated files (at least 300 with --slow), of which at least two thirds are read by the database."""
    readers: Counter[str] = Counter()
    every = pytestconfig.getoption("--slow")
    in_rounds(
        files(),
        rounds=ROUNDS if every else 2,
        each=FILES_PER_ROUND,
        check=lambda seeds: readers.update(load_and_compare(*pair, seeds)),
    )
    assert readers.total() >= (300 if every else 60)
    assert readers["database"] >= readers.total() * 2 / 3, readers


# What the two CSV readers see differently, or what only looks like a type: none of it may go the fast way.
DOUBTFUL = {
    "a blank line": "a,b\n1,2\n\n3,4\n",
    "mixed line ends": "a,b\r\n1,2\n3,4\r\n",
    "a stray carriage return": "a,b\n1,x\ry\n2,z\n",
    "a line break in a value": 'a,b\n1,"two\nlines"\n',
    "a blank before a quote": 'a,b\n1, "x"\n2,y\n',
    "text after a quote": 'a,b\n1,"x"y\n',
    "a quote inside": 'a,b\n1,x"y\n2,z\n',
    "one column with an empty line": "a\n1\n\n2\n",
    "a name twice": "a,A\n1,2\n",
    "no name": "a,\n1,2\n",
    "digits that are not ASCII": "a,b\n٣,1\n٤,2\n",
    "a currency": "a,b\n$1,1\n",
    "not a number": "a,b\nnan,1\n",
    "underscores": "a,b\n1_000,1\n",
    "the year 0": "a,b\n0000-01-01,1\n",
    "a day that is not": "a,b\n2024-02-30,1\n",
    "31 digits": "a,b\n1234567890123456789012345678901,1\n",
}
CERTAIN = {
    "numbers, late decimals": "a,b\n" + "1,2.0\n" * 1500 + "7,0.5\n",
    "text after a thousand numbers": "a,b\n" + "1,2\n" * 1500 + "x,2\n",
    "a gap after a thousand dates": "a,b\n" + "2024-01-05,x\n" * 1500 + ",y\n",
    "only gaps": "a,b\n,1\nnull,2\n",
    "windows lines, a mark, no last line end": "\ufeffa,b\r\n1,2\r\n3,4",
}


def test_what_is_not_certain_is_read_as_dbt_reads_it(pair: tuple[DbtProject, DbtProject]):
    """DOUBTFUL goes the slow way, CERTAIN the fast one, and all come out as `dbt seed` makes them."""
    plain, healed = pair
    texts = [*DOUBTFUL.values(), *CERTAIN.values()]
    seeds = [Seed(text, {"quote_columns": True}) for text in texts]
    for project in pair:
        write(project, seeds)
    statuses = plain.dbt("seed", check=False).statuses
    loaded = [f"s{number}" for number in range(len(seeds)) if statuses[f"s{number}"] == "success"]
    assert len(loaded) >= 14  # the others dbt seed cannot load either
    done = healed.dbt("run-operation", "ensure_initialized", args={"select": loaded})
    readers = {
        event["unique_id"].split(".")[2]: event["reader"]
        for event in events(done, "initialization_seed_checked")
    }
    for number, text in enumerate(texts):
        name = f"s{number}"
        if name in loaded:
            assert readers[name] == ("agate" if number < len(DOUBTFUL) else "database"), text[:60]
            assert healed.columns(name) == plain.columns(name), text[:60]
            assert healed.rows(name) == plain.rows(name), text[:60]


def hooked(hook: str) -> str:
    """The properties file of the seed with a post-hook."""
    return yaml.safe_dump({"version": 2, "seeds": [{"name": "s", "config": {"post_hook": hook}}]})


OVERRIDES = {
    "its own loader": {
        "macros/own.sql": "{% macro load_csv_rows(model, agate_table) %}"
        "{{ return(default__load_csv_rows(model, agate_table)) }}{% endmacro %}"
    },
    "no fast loading": {
        "seeds/p.yml": yaml.safe_dump({"version": 2, "seeds": [{"name": "s", "config": {"fast": False}}]})
    },
    "a hook that looks at the rows": {
        "seeds/p.yml": hooked("select {{ load_result('agate_table').table.rows | length }}")
    },
    "a hook whose macro looks at the rows": {
        "seeds/p.yml": hooked("select {{ number_of_rows() }}"),
        "macros/number.sql": "{% macro number_of_rows() %}"
        "{% if execute %}{{ load_result('agate_table').table.rows | length }}{% endif %}{% endmacro %}",
    },
    "a hook whose macro looks at their number": {
        "seeds/p.yml": hooked("select {{ number_of_rows() }}"),
        "macros/number.sql": "{% macro number_of_rows() %}"
        '{% if execute %}{{ load_result( "main" ).response.rows_affected }}{% endif %}{% endmacro %}',
    },
}


@pytest.mark.parametrize("files_of", OVERRIDES.values(), ids=OVERRIDES)
def test_where_the_rows_are_looked_at_they_are_read(make_project: ProjectFactory, files_of: dict[str, str]):
    """The fast way is for dbt's own loading alone."""
    files = {"seeds/s.csv": "id,name\n1,a\n2,b\n", **LARGE, **files_of}
    project = make_project(files, config={"dispatch": DISPATCH})
    done = project.dbt("run-operation", "ensure_initialized")
    assert [event["reader"] for event in events(done, "initialization_seed_checked")] == ["agate"]
    assert project.rows("s") == [(1, "a"), (2, "b")]


def test_only_large_files_go_the_fast_way(make_project: ProjectFactory):
    """A file above 1 MiB does, a small one does not; both come out whole."""
    lines = "".join(f"{number},name {number},{number / 4}\n" for number in range(60_000))
    project = make_project({"seeds/large.csv": f"id,name,share\n{lines}", "seeds/small.csv": "id\n1\n"})
    done = project.dbt("run-operation", "ensure_initialized")
    readers = {
        event["unique_id"].split(".")[2]: event["reader"]
        for event in events(done, "initialization_seed_checked")
    }
    assert readers == {"large": "database", "small": "agate"}
    assert [kind for _, kind in project.columns("large")] == ["INTEGER", "VARCHAR", "DOUBLE"]
    assert project.query("select count(*), sum(id), sum(share) from large") == [
        (60_000, 1799970000, 449992500.0)
    ]
    assert "INSERT 60000" in done.output
