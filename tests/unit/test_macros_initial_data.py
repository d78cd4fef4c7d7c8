"""Initial data: which names are those of passwords, and when two numbers are the same."""

from __future__ import annotations

from typing import Any

import pytest
from unit.conftest import Macro

PACKAGE = "dbt_selfheal_database"
PASSWORDS = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "PASSWORD_HASH",
    "passwordhash",
    "hashed_password",
    "password_digest",
    "encrypted_password",
    "user_password",
    "userPassword",
    "UserPass",
    "user_pass",
    "pass_hash",
    "db_pwd",
    "password2",
    "wifi_passphrase",
    "password_md5",
    "login_passwd",
    "old_password",
]
OTHERS = [
    "passenger",
    "passenger_id",
    "compass",
    "bypass",
    "passport_number",
    "password_changed_at",
    "passwordChangedAt",
    "password_reset_required",
    "password_policy",
    "password_expires",
    "password_salt",
    "password_hint",
    "password_reset_token",
    "password_attempts",
    "pass_rate",
    "pass_count",
    "pin",
    "last_password_change",
    "username",
]


@pytest.mark.parametrize("name", PASSWORDS)
def test_a_column_named_like_a_password_is_one(macro: Macro, name: str) -> None:
    assert macro("_is_password_name", package=PACKAGE)(name) is True


@pytest.mark.parametrize("name", OTHERS)
def test_a_column_named_like_something_about_a_password_is_none(macro: Macro, name: str) -> None:
    assert macro("_is_password_name", package=PACKAGE)(name) is False


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1, 1.0, "1", "01", " +1 ", "1.00", True), "1"),
        ((0, "0", "-0", "0.0", False), "0"),
        ((-2.5, "-2.50", "-02.5"), "-2.5"),
        (("0.1", ".1", 0.1), "0.1"),
        ((12345678901234567890123, "12345678901234567890123"), "12345678901234567890123"),
        (("12345678901234567890.10",), "12345678901234567890.1"),
        (("", "a", "1a", ".", "-", "1.2.3"), None),
    ],
)
def test_a_number_has_one_text_however_it_is_written(
    macro: Macro, values: tuple[Any, ...], text: str | None
) -> None:
    assert {macro("_number_text", package=PACKAGE)(value) for value in values} == {text}


KINDS = {
    "text": ["VARCHAR", "varchar(50)", "character varying", "character", "TEXT", "char(3)", "bpchar"],
    "whole": ["INTEGER", "int", "bigint", "HUGEINT", "UTINYINT", "int8", "smallint"],
    "number": ["DECIMAL(18,2)", "numeric", "double precision", "DOUBLE", "real", "float8"],
    "other": [
        "interval",
        "VARCHAR[]",
        "STRUCT(a VARCHAR)",
        "ENUM('text')",
        "date",
        "BOOLEAN",
        "UUID",
        "UNKNOWN",
    ],
}


@pytest.mark.parametrize(("kind", "types"), KINDS.items())
def test_a_type_is_of_one_kind(macro: Macro, kind: str, types: list[str]) -> None:
    from dbt.adapters.base import Column

    assert {macro("_column_kind", package=PACKAGE)(Column("c", dtype)) for dtype in types} == {kind}


@pytest.mark.parametrize(("columns", "largest"), [(1, 500), (64, 500), (70, 457), (2000, 16), (40000, 1)])
def test_a_statement_takes_no_more_variables_than_sqlite_does(
    macro: Macro, columns: int, largest: int
) -> None:
    """SQLite itself takes 32,766; a distribution may raise that, and its database would show nothing."""
    rows = [{"values": dict.fromkeys(range(columns))}] * 1001
    chunks = macro("_chunks", package=PACKAGE)(rows)
    assert max(len(chunk) for chunk in chunks) == largest
    assert [row for chunk in chunks for row in chunk] == rows
    assert macro("_chunks", package=PACKAGE)([]) == []
