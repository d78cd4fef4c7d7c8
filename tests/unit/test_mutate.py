"""The mutator of the macros."""

from __future__ import annotations

from mutation.mutate import MACROS, every, mutants

TEXT = """{% macro m(a, b) %}
  {% if a and not b is not none %}
    {% do run('this and that') %}
  {% endif %}
  {% for x in a if x or b %}{{ x }}{% endfor %}
  {% do return(a) %}
{% endmacro %}
"""


def test_each_kind_of_change_is_made_outside_of_texts() -> None:
    found = [
        (mutant.kind, mutant.line, mutant.apply(TEXT).splitlines()[mutant.line - 1].strip())
        for mutant in mutants("m.sql", TEXT)
    ]
    assert found == [
        ("and for or", 2, "{% if a or not b is not none %}"),
        ("negation dropped", 2, "{% if a and b is not none %}"),
        ("negation dropped", 2, "{% if a and not b is none %}"),
        ("condition is true", 2, "{% if true %}"),
        ("condition is false", 2, "{% if false %}"),
        ("line dropped", 3, ""),
        ("or for and", 5, "{% for x in a if x and b %}{{ x }}{% endfor %}"),
        ("condition of a loop dropped", 5, "{% for x in a %}{{ x }}{% endfor %}"),
    ]


def test_every_mutant_of_the_macros_is_another_text() -> None:
    found = every("")
    assert len(found) > 500
    assert len(set(found)) == len(found)
    for mutant in found:
        text = (MACROS / mutant.file).read_text()
        assert text[mutant.start :].startswith(mutant.before)
        assert mutant.apply(text) != text
