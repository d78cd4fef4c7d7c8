"""The settings, value by value: what is accepted, what is converted, and what the errors say."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEFAULTS = {
    "enabled": True,
    "on_missing": "build",
    "required": [],
    "targets": [],
    "on_lost_history": "fail",
    "timeout_seconds": None,
    "lock_timeout_seconds": 60,
    "history": False,
    "history_days": 90,
    "schema": None,
    "initial_data": [],
}


def test_the_defaults_are_those_of_the_documentation(macro):
    found = macro("_settings")()
    assert {key: found[key] for key in DEFAULTS} == DEFAULTS


def test_the_command_line_overrides_the_project_key_by_key(macro):
    found = macro(
        "_settings",
        vars={"dbt_selfheal": {"timeout_seconds": 5}},
        project_vars={"dbt_selfheal": {"timeout_seconds": 7, "targets": ["ci"], "on_missing": "warn"}},
    )()
    defaults = macro("_settings")()
    assert found == {**defaults, "timeout_seconds": 5, "targets": ["ci"], "on_missing": "warn"}


@pytest.mark.parametrize(
    ("value", "enabled"),
    [
        ("false", False),
        ("0", False),
        ("FALSE", False),
        ("no", False),
        ("off", False),
        ("true", True),
        ("", True),
        ("1", True),
    ],
)
def test_the_environment_variable_switches_off_and_never_on(macro, value: str, enabled: bool):
    variables = {"DBT_SELFHEAL_ENABLED": value}

    def env_var(name: str, default: str = "") -> str:
        return variables.get(name, default)

    assert macro("_settings", context={"env_var": env_var})()["enabled"] is enabled
    off = macro("_settings", vars={"dbt_selfheal": {"enabled": False}}, context={"env_var": env_var})()
    assert off["enabled"] is False


@pytest.mark.parametrize(
    ("key", "value", "converted"),
    [
        ("enabled", "true", True),
        ("enabled", "False", False),
        ("enabled", "{{ 1 == 2 }}", False),
        ("history", "TRUE", True),
        ("timeout_seconds", "30", 30.0),
        ("timeout_seconds", "0.5", 0.5),
        ("timeout_seconds", "{{ 2 * 15 }}", 30.0),
        ("timeout_seconds", 0.001, 0.001),
        ("timeout_seconds", None, None),
        ("lock_timeout_seconds", 0, 0),
        ("required", "tag:x", ["tag:x"]),
        ("required", ["a", "tag:b", "path:c"], ["a", "tag:b", "path:c"]),
        ("targets", "ci", ["ci"]),
        ("targets", ["dev", "{{ 'c' ~ 'i' }}"], ["dev", "ci"]),
        ("schema", "ops", "ops"),
        ("schema", None, None),
        ("on_missing", "fail", "fail"),
    ],
)
def test_a_value_of_the_right_type_is_taken_and_strings_are_converted(macro, key, value, converted):
    found = macro("_settings", vars={"dbt_selfheal": {key: value}})()
    assert found == {**macro("_settings")(), key: converted}
    assert type(found[key]) is type(converted)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("enabled", "maybe", "true or false"),
        ("enabled", 1, "true or false"),
        ("enabled", None, "true or false"),
        ("history", ["true"], "true or false"),
        ("on_missing", "repair", "build, clone, warn or fail"),
        ("on_missing", True, "build, clone, warn or fail"),
        ("required", {"tag": "x"}, "list of strings"),
        ("required", 5, "list of strings"),
        ("required", ["a", 5], "list of strings"),
        ("required", None, "list of strings"),
        ("targets", [["ci"]], "list of strings"),
        ("timeout_seconds", "soon", "seconds, more than 0"),
        ("timeout_seconds", 0, "seconds, more than 0"),
        ("timeout_seconds", -1, "seconds, more than 0"),
        ("timeout_seconds", True, "seconds, more than 0"),
        ("on_lost_history", "warn", "build or fail"),
        ("lock_timeout_seconds", -1, "seconds, 0 or more"),
        ("lock_timeout_seconds", [1], "seconds, 0 or more"),
        ("schema", "", "name of a schema"),
        ("schema", 7, "name of a schema"),
        ("initial_data", {"table": "roles"}, "list"),
        ("initial_data", "roles", "list"),
    ],
)
@pytest.mark.parametrize("origin", ["--vars", "dbt_project.yml"])
def test_a_value_of_the_wrong_type_is_an_error_that_names_key_value_and_place(
    macro, key, value, expected, origin
):
    layer = {"dbt_selfheal": {key: value}}
    call = macro("_settings", **({"vars": layer} if origin == "--vars" else {"project_vars": layer}))
    with pytest.raises(Exception) as error:
        call()
    message = str(error.value)
    assert f"vars.dbt_selfheal.{key} must be" in message
    assert expected in message
    assert f"Fix it in {origin}" in message
    if isinstance(value, str) and value and key != "initial_data":
        assert value in message


@pytest.mark.parametrize("value", [["enabled"], "enabled", 5, True])
def test_settings_that_are_no_dictionary_are_an_error(macro, value):
    with pytest.raises(Exception, match=r"vars\.dbt_selfheal must be a dictionary of settings"):
        macro("_settings", vars={"dbt_selfheal": value})()


def test_an_unknown_key_is_an_error_with_the_nearest_and_all_valid_keys(macro):
    with pytest.raises(Exception) as error:
        macro("_settings", vars={"dbt_selfheal": {"timeout_second": 5}})()
    message = str(error.value)
    assert "vars.dbt_selfheal.timeout_second is not a setting" in message
    assert "Did you mean: timeout_seconds" in message
    assert all(key in message for key in DEFAULTS)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("config_age_band", "config_age_bands"),
        ("Config_Age_Bands", "config_age_bands"),
        ("int_baseline_workfroce", "int_baseline_workforce"),
        ("age_bands", "config_age_bands"),
    ],
)
def test_the_nearest_name_comes_first(macro, name: str, nearest: str):
    candidates = ["config_tenure_bands", "int_baseline_workforce", "config_age_bands", "fct_contributions"]
    assert macro("_nearest")(name, candidates)[0] == nearest


def test_names_that_are_not_alike_are_not_offered(macro):
    assert macro("_nearest")("xyz", ["config_age_bands", "census"]) == []
    assert macro("_nearest")("a", []) == []


@settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(min_size=1, max_size=20), others=st.lists(st.text(max_size=20), max_size=6))
def test_a_candidate_that_is_the_name_itself_is_always_found(macro, name: str, others: list[str]):
    found = macro("_nearest")(name, [*others, name])
    assert len(found) <= 3
    assert any(candidate.lower() == name.lower() for candidate in found) or len(found) == 3


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["{{", "{% if", "{{ 1 / 0 }}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(key=st.sampled_from(sorted(set(DEFAULTS) - {"initial_data"})), value=JSON)
def test_any_value_is_taken_in_the_type_of_its_setting_or_refused_with_its_key(
    macro, key: str, value: object
):
    try:
        found = macro("_settings", vars={"dbt_selfheal": {key: value}})()[key]
    except Exception as error:
        message = str(error)
        assert f"vars.dbt_selfheal.{key}" in message
        assert "Fix it in --vars" in message
        return
    if key == "schema":
        assert found is None or (isinstance(found, str) and found)
    elif key == "on_missing":
        assert found in ("build", "warn", "fail")
    elif key == "on_lost_history":
        assert found in ("build", "fail")
    elif key == "history_days":
        assert found is None or 0 < found < 10**6
    elif key == "timeout_seconds":
        assert found is None or 0 < found < 10**9
    elif "seconds" in key:
        assert 0 <= found < 10**9
    elif isinstance(DEFAULTS[key], list):
        assert all(isinstance(entry, str) for entry in found)
    else:
        assert isinstance(found, bool)


@settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(layer=JSON.filter(lambda value: not isinstance(value, dict) or not set(value) <= set(DEFAULTS)))
def test_settings_of_any_other_shape_are_refused(macro, layer: object):
    with pytest.raises(Exception, match=r"vars\.dbt_selfheal"):
        macro("_settings", vars={"dbt_selfheal": layer})()
