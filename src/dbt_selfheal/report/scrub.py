"""Keeping credentials out of everything that is shown or written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "*****"
SHORTEST_LINE = 8  # a shorter line of a secret would be found in other words
_SECRET_KEY = re.compile(
    r"pass|pwd|token|secret|private_key|passphrase|keyfile_json|api_?key|access_key|encryption_key|sas|credential"
    r"|authorization|cookie",
    re.IGNORECASE,
)
# Settings whose names look like secrets and whose values are not.
_NOT_SECRET = {"use_credential_provider", "access_token_name", "secrets"}
_URL_PASSWORD = re.compile(
    r"(?P<start>[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?P<value>[^\s/@]+)(?=@)", re.IGNORECASE
)
_KEY_VALUE = re.compile(
    r"(?P<start>\b(?:password|passwd|pwd|motherduck_token)\s*[=:]\s*)(?P<q>['\"]?)(?P<value>[^\s'\",;)&]+)(?P=q)",
    re.IGNORECASE,
)


class Scrubber:
    """Replaces secrets in texts.

    Args:
        output: The output of a profile; the values of its secret keys are replaced wherever they appear.
    """

    def __init__(self, output: Mapping[str, Any] | None = None) -> None:
        found = {value for key, value in os.environ.items() if key.startswith("DBT_ENV_SECRET_") and value}
        found |= set(_secrets(output or {}))
        found |= {part for value in found for part in _lines(value)}
        self._patterns = [re.compile(_pattern(value)) for value in sorted(found, key=len, reverse=True)]

    def document(self, value: Any) -> Any:
        """Returns a nested structure of JSON whose texts have no secrets."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {key: self.document(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.document(item) for item in value]
        return value

    def __call__(self, text: str) -> str:
        """Returns the text without secrets."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        text = _URL_PASSWORD.sub(rf"\g<start>{MASK}", text)
        return _KEY_VALUE.sub(rf"\g<start>{MASK}", text)


def _secrets(value: Any, *, secret: bool = False) -> list[str]:
    """Returns the values of all secret keys of a nested structure."""
    if isinstance(value, Mapping):
        return [
            text
            for key, item in value.items()
            if key not in _NOT_SECRET or isinstance(item, (Mapping, list))
            for text in _secrets(item, secret=secret or bool(_SECRET_KEY.search(str(key))))
        ]
    if isinstance(value, list):
        return [text for item in value for text in _secrets(item, secret=secret)]
    if value in (None, "", True, False):
        return []
    return [str(value)] if secret else _parts(str(value))


def _parts(text: str) -> list[str]:
    """Returns the passwords and tokens in a URL or a connection string, as written there and as they are."""
    found = [match["value"] for pattern in (_URL_PASSWORD, _KEY_VALUE) for match in pattern.finditer(text)]
    return [form for value in found for form in dict.fromkeys((value, unquote(value)))]


def _lines(secret: str) -> list[str]:
    """Returns the lines of a secret that has several, such as a private key: they may be shown one by one."""
    lines = [line.strip() for line in secret.splitlines()]
    return [line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----")]


def _pattern(secret: str) -> str:
    """Returns a pattern for a secret as it is, in JSON and in URLs; short ones are whole words only."""
    found = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)}
    forms = "|".join(re.escape(form) for form in sorted(found, key=len, reverse=True))
    return f"(?:{forms})" if len(secret) >= 6 else rf"(?<![A-Za-z0-9_])(?:{forms})(?![A-Za-z0-9_])"
