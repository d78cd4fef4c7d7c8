"""A plugin of pytest that runs tests on one mutant after the other, all in one process.

What takes long before the first test is done once: the imports, the collection, the server that dbt is forked
from, the database's server. The tests that speak of what the changed lines speak of come first, and those
that have killed a mutant of the same file. A test counts only if it passes on the macros as they are.
`mutate.py` starts it, and reads what it appends to a file: a JSON object for each mutant.
"""

from __future__ import annotations

import inspect
import json
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from _pytest.runner import runtestprotocol

SERVERS = ("dbt_server.py", "warm_server.py")
AROUND = 4  # lines before and after a change


def words(text: str) -> set[str]:
    """Returns the words of a text, or of code: without their plural, and none shorter than four letters."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", text.lower())}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that names the file of the mutants."""
    parser.addoption("--mutants", metavar="FILE", help="JSON: what mutate.py wants to be run")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Runs the mutants in place of the tests, if there are some."""
    file = session.config.getoption("--mutants")
    if file is None:
        return None
    Rounds(session, json.loads(Path(file).read_text())).run()
    return True


class Session:
    """Stands for the next test: what lives as long as the session is kept, all else is torn down.

    Args:
        session: Of pytest.
    """

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[Any]:
        """Returns what is still needed."""
        return [self.session]


class Rounds:
    """The mutants of one session, and the tests that are run on them.

    Args:
        session: With the tests.
        wanted: `mutants` (each with `path`, `line` and `text`), `limit` (seconds for one mutant) and
            `results` (the file to append to).
    """

    def __init__(self, session: pytest.Session, wanted: dict[str, Any]) -> None:
        self.session, self.wanted = session, wanted
        self.kills: Counter[tuple[str, str]] = Counter()
        self.sound: dict[str, bool] = {}
        self.words = {
            item.nodeid: words(f"{item.nodeid} {inspect.getsource(item.function)}")  # type: ignore[attr-defined]
            for item in session.items
        }
        self.count = Counter(word for each in self.words.values() for word in each)

    def run(self) -> None:
        """Runs all of them."""
        for mutant in self.wanted["mutants"]:
            started = time.monotonic()
            fate, killer = self._fate(mutant)
            line = {**mutant, "fate": fate, "killer": killer, "seconds": time.monotonic() - started}
            del line["text"]
            with Path(self.wanted["results"]).open("a") as opened:
                opened.write(json.dumps(line) + "\n")

    def _fate(self, mutant: dict[str, Any]) -> tuple[str, str]:
        """Returns `killed` and by which test, `survived` or `no time`."""
        path = Path(mutant["path"])
        as_it_is, end = path.read_text(), time.monotonic() + self.wanted["limit"]
        order = self._order(mutant)
        for item, following in zip(order, [*order[1:], None], strict=True):
            if time.monotonic() > end:
                self._tear_down()
                return "no time", ""
            path.write_text(mutant["text"])
            try:
                passed = self._passes(item, following)
            finally:
                path.write_text(as_it_is)
            if not passed and self._is_sound(item):
                self.kills[mutant["path"], item.nodeid] += 1
                return "killed", item.nodeid
        return "survived", ""

    def _order(self, mutant: dict[str, Any]) -> list[pytest.Item]:
        """Returns the tests for a mutant, those first that will most likely kill it soon."""
        lines = Path(mutant["path"]).read_text().splitlines()
        spoken_of = words("\n".join(lines[max(0, mutant["line"] - 1 - AROUND) : mutant["line"] + AROUND]))

        def closeness(item: pytest.Item) -> float:
            common = spoken_of & self.words[item.nodeid]
            close = sum(1 / self.count[word] for word in common)
            return close + self.kills[mutant["path"], item.nodeid] / 4

        items = [item for item in self.session.items if self.sound.get(item.nodeid, True)]
        return sorted(items, key=closeness, reverse=True)

    def _passes(self, item: Any, following: pytest.Item | None = None) -> bool:
        """Runs a test; what it shares with the one that follows is kept if it passes."""
        item._initrequest()
        nextitem: Any = following or Session(self.session)
        passed = not any(report.failed for report in runtestprotocol(item, log=False, nextitem=nextitem))
        if not passed:
            self._tear_down()
            _end_children()
        return passed

    def _tear_down(self) -> None:
        keep: Any = Session(self.session)
        self.session._setupstate.teardown_exact(keep)

    def _is_sound(self, item: pytest.Item) -> bool:
        """Tells whether a test passes on the macros as they are; asked once."""
        if item.nodeid not in self.sound:
            self.sound[item.nodeid] = self._passes(item)
        return self.sound[item.nodeid]


def _end_children() -> None:
    """Ends what a test that failed has left running: what the servers of dbt have forked."""
    for server in psutil.Process().children():
        if any(name in argument for argument in server.cmdline() for name in SERVERS):
            for child in server.children(recursive=True):
                child.send_signal(signal.SIGKILL)
