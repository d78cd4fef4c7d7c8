"""All that an application's database needs, in one dbt process: migrations, schema, nodes, initial data."""

from __future__ import annotations

import time

from dbt_selfheal.engine.attempt import Attempt
from dbt_selfheal.engine.interface import Outcome
from dbt_selfheal.warm.check import WarmCheck
from dbt_selfheal.warm.shared import SharedAnswer
from dbt_selfheal.workspace.project import is_active

COMMAND = "DatabaseInitializer.initialize"


class Initialization(Attempt):
    """An attempt at that. Its arguments are those of an Attempt."""

    def initialize(self, *, repair: bool = False) -> Outcome:
        """Applies pending migrations, looks at what exists, builds what is missing and inserts missing rows.

        Where another process has done just that while this one waited for the lock, nothing is done again.

        Args:
            repair: Whether missing columns and indexes are added to what exists; else they are only named.

        Returns:
            The outcome; its way is `shared` when another process has done it.

        Raises:
            InitializationError: It failed; the class says how.
        """
        started = time.monotonic()
        with self._remembered(COMMAND), self._complete_errors():
            workspace = self.preparation.read()
            if not is_active(workspace):
                self.outcome = Outcome("not_started", "off")
                return self.outcome
            self._pause(workspace)
            self.preparation.check(workspace, operation="run_migrations")
            asked = [str(repair), *self.request.selection()]
            shared = SharedAnswer(workspace, asked)
            with self.preparation.lock(workspace):
                answer = shared.read()
                if answer is not None:
                    self.outcome = Outcome("completed", "shared", present=int(answer["present"]))
                    self.recorder.warnings.extend(answer["warnings"])
                else:
                    self.preparation.check_file(workspace)
                    schema = "repair" if repair else "validate"
                    warm = WarmCheck(workspace, self.request.selection())
                    self._build_and_verify(workspace, warm, migrations=True, schema=schema)
                    if self.outcome.state == "completed":
                        present = self.outcome.present + len(self.outcome.created)
                        shared.write({"present": present, "warnings": self.warnings()})
            self.outcome.seconds = time.monotonic() - started
            self.recorder.complete(self.outcome.state, self.outcome.way)
        return self.outcome

    def warnings(self) -> list[str]:
        """Returns what needs attention and stopped nothing: differences of the schema, rows that wait."""
        schema = self.recorder.documents.get("schema_validation", {}).get("issues", [])
        left = self.recorder.documents.get("schema_repair", {}).get("left", [])
        found = [issue_text(issue) for issue in [*schema, *left] if issue["severity"] != "info"
                 and issue["code"] != "missing_relation"]  # fmt: skip
        return list(dict.fromkeys([*found, *self.recorder.warnings]))


def issue_text(issue: dict[str, str | None]) -> str:
    """Returns a difference of the schema in one line: where it is, and what."""
    place = f"{issue['relation']}.{issue['column']}" if issue["column"] else issue["relation"]
    return f"{place}: {issue['message']}"
