"""Hashes of passwords for initial data: Argon2id in PHC form, the only form in which macros take passwords.

The parameters are at least those that OWASP recommends for Argon2id (m=19456 KiB, t=2, p=1). Needs the extra
`passwords` (argon2-cffi).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB = 65536
PASSES = 3
LANES = 1

# The same rule as the macro _is_password_hash: the memory that each number of passes needs, in KiB.
LEAST_MEMORY_KIB = {1: 47104, 2: 19456, 3: 12288, 4: 9216}
LEAST_MEMORY_KIB_OF_MORE_PASSES = 7168

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,4}),p=([0-9]{1,3})\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}"
)


def hash_password(
    password: str, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES
) -> str:
    """Returns the Argon2id hash of a password, with a random salt, in PHC form.

    Args:
        password: The password; any text that is not empty.
        memory_kib: Memory, in KiB.
        passes: Number of passes over the memory.
        lanes: Degree of parallelism.

    Returns:
        The hash, such as `$argon2id$v=19$m=65536,t=3,p=1$...$...`.

    Raises:
        ValueError: The password is empty, or the parameters are weaker than OWASP recommends.
        ImportError: argon2-cffi is not installed.
    """
    if not password:
        raise ValueError("an empty password is not hashed")
    if passes < 1 or lanes < 1 or memory_kib < _least_memory(passes):
        raise ValueError(
            f"m={memory_kib} KiB, t={passes}, p={lanes} is weaker than OWASP recommends: "
            f"with t={passes} use at least m={_least_memory(passes)} KiB"
        )
    return str(_hasher(memory_kib, passes, lanes).hash(password))


def verify_password(password: str, phc_hash: str) -> bool:
    """Returns whether a password is the one that a hash was made from.

    Args:
        password: The password.
        phc_hash: The hash, in PHC form.

    Raises:
        ValueError: The hash is not an Argon2id hash in PHC form.
        ImportError: argon2-cffi is not installed.
    """
    if not _PHC.fullmatch(phc_hash):
        raise ValueError("not an Argon2id hash in PHC form")
    hasher = _hasher(MEMORY_KIB, PASSES, LANES)
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return bool(hasher.verify(phc_hash, password))
    except (VerificationError, InvalidHashError):
        return False


def is_password_hash(text: str) -> bool:
    """Returns whether a text is an Argon2id hash in PHC form that is at least as strong as OWASP recommends.

    Args:
        text: The text; it is never part of an error or a log.
    """
    found = _PHC.fullmatch(text)
    if not found:
        return False
    memory_kib, passes, lanes = (int(number) for number in found.groups())
    return passes > 0 and lanes > 0 and memory_kib >= _least_memory(passes)


def _least_memory(passes: int) -> int:
    return LEAST_MEMORY_KIB.get(passes, LEAST_MEMORY_KIB_OF_MORE_PASSES)


def _hasher(memory_kib: int, passes: int, lanes: int) -> PasswordHasher:
    try:
        from argon2 import PasswordHasher, Type
    except ImportError:
        raise ImportError(
            "hashing a password needs argon2-cffi; install it with: pip install 'dbt-selfheal[passwords]'"
        ) from None
    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
