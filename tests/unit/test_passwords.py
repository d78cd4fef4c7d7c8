"""Hashes of passwords: strong, different each time, and accepted by the macros exactly when they are here."""

from __future__ import annotations

import sys

import pytest
from unit.conftest import Macro

from dbt_selfheal.passwords import hash_password, is_password_hash, verify_password

TAIL = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"


def phc(memory: int, passes: int, lanes: int = 1, *, kind: str = "argon2id", version: int = 19) -> str:
    return f"${kind}$v={version}$m={memory},t={passes},p={lanes}${TAIL}"


ACCEPTED = [phc(47104, 1), phc(19456, 2), phc(12288, 3), phc(9216, 4), phc(7168, 5), phc(65536, 3, 4)]
REFUSED = [
    "",
    "correct horse battery staple",
    phc(47103, 1),
    phc(19455, 2),
    phc(12287, 3),
    phc(9215, 4),
    phc(7167, 5),
    phc(65536, 0),
    phc(65536, 3, 0),
    phc(65536, 3, kind="argon2i"),
    phc(65536, 3, kind="argon2d"),
    phc(65536, 3, version=16),
    phc(65536, 3) + "\n",
    " " + phc(65536, 3),
    "$2b$12$eImiTXuWVxfM37uY4JANjQ" + "e" * 31,
    "5f4dcc3b5aa765d61d8327deb882cf99",
]


def test_a_hash_is_strong_and_verifies_its_password_only() -> None:
    hashed = hash_password("s3cret-påss")
    assert is_password_hash(hashed)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert verify_password("s3cret-påss", hashed)
    assert not verify_password("s3cret-pass", hashed)


def test_two_hashes_of_one_password_differ() -> None:
    first, second = (hash_password("same", memory_kib=19456, passes=2) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("text", ACCEPTED)
def test_every_set_of_parameters_that_owasp_recommends_is_accepted(macro: Macro, text: str) -> None:
    assert is_password_hash(text)
    assert macro("_is_password_hash", package="dbt_selfheal_database")(text) is True


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_weaker_or_no_hash_is_refused(macro: Macro, text: str) -> None:
    assert not is_password_hash(text)
    assert macro("_is_password_hash", package="dbt_selfheal_database")(text) is False


def test_empty_passwords_and_weak_parameters_are_errors() -> None:
    with pytest.raises(ValueError, match="empty"):
        hash_password("")
    with pytest.raises(ValueError, match="at least m=19456 KiB"):
        hash_password("x", memory_kib=1024, passes=2)
    with pytest.raises(ValueError, match="not an Argon2id hash"):
        verify_password("x", "plain")


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "argon2", None)
    with pytest.raises(ImportError, match=r"dbt-selfheal\[passwords\]"):
        hash_password("x")
