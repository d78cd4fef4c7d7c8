"""Brings a situation about, and runs it with and without the package from exactly the same state."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from harmless.outcome import PACKAGE, Outcome, arguments, differences, look, query
from harmless.situation import FILE, Check, Expectation, Situation, Step
from support import ROOT, Database, DbtProject, DbtResult, DbtServer, DuckDbDatabase, PostgresDatabase


class World:
    """A situation's project and database, and the states of both that have been kept.

    A state comes back to the same path and name, so that nothing differs but what the package does.

    Args:
        situation: The situation.
        folder: Where project, database and states are.
        database: What the project builds into; a DuckDB lies in `folder / "database"`.
        server: Where dbt runs.
        parsed: Where what dbt has parsed is kept from one situation to the next.
    """

    def __init__(
        self, situation: Situation, folder: Path, database: Database, server: DbtServer, parsed: Path
    ) -> None:
        self.situation = situation
        self.folder = folder
        self.database = database
        self._states = folder / "states"
        # dbt does not see that a macro of a project takes the place of another one in files it has parsed.
        own = any((situation.folder / name).exists() for name in ("macros", "packages"))
        self._parsed = folder / "parsed" if own else parsed
        self._parsed.mkdir(exist_ok=True)
        project = folder / "project"
        shutil.copytree(situation.folder, project, ignore=shutil.ignore_patterns(FILE))
        self.project = DbtProject(project, database, server, install=False)
        description = yaml.safe_load((project / "dbt_project.yml").read_text())
        self._profile = description.get("profile", description["name"])
        self._packages = sorted(path.name for path in project.glob("packages/*") if path.is_dir())
        self._changes: dict[str, Any] = {}
        self._change_profile(situation.profile)
        self._install()

    def judge(self) -> dict[str, list[str]]:
        """Runs the situation in its states.

        Returns:
            For each state, "warm" and "cold", what is not as it must be.
        """
        situation, problems = self.situation, {}
        self._reuse_parsing("without")
        problems["setup"] = _wrong_codes(situation.setup, self._do(situation.setup), self.database.adapter)
        self._keep_parsing("without")
        if problems["setup"]:
            return problems
        del problems["setup"]
        self._keep("warm")
        steps = situation.reference or situation.run
        without = reference = self._outcome(steps)
        wrong = _wrong_codes(steps, reference, self.database.adapter)
        if wrong:
            return {"without the package": wrong}
        if situation.reference is not None and situation.warm is not None:
            self._restore("warm")
            without = self._outcome(situation.run)
        if situation.warm is not None:
            problems["warm"] = self._judge_state("warm", situation.warm, reference, without)
        if situation.cold is not None:
            self._restore("warm")
            self._do(situation.cold)
            self._keep("cold")
            problems["cold"] = self._judge_state("cold", situation.expect, reference)
        return problems

    def _judge_state(
        self, state: str, expectation: Expectation, reference: Outcome, without: Outcome | None = None
    ) -> list[str]:
        """Runs without and with the package in a state, and returns what is not as it must be."""
        run, adapter = self.situation.run, self.database.adapter
        self._restore(state)
        before = look(self.project, [])
        if expectation.heals:
            without = reference  # something is missing, and the reference says how it must be
        elif without is None:
            without = self._outcome(run)
            self._restore(state)
        self._install(PACKAGE)
        self._reuse_parsing("with")
        found = self._outcome(run)
        self._keep_parsing("with")
        problems = [f"the manifest has {key} of the package" for key in found.foreign]
        if expectation.heals:
            problems += self._judge_healing(expectation, before, found, reference)
        elif expectation.stops:
            may_build = self._full(expectation.may_build)
            problems += _judge_stop(expectation, may_build, before, without, found)
        else:
            wrong = _wrong_codes(run, without, adapter)
            if wrong:
                return [f"the situation is wrong: without the package {text}" for text in wrong]
            problems += self._differences(expectation, without, found)
        problems += [f"not said: {text}" for text in expectation.warns if text not in found.output]
        problems += [text for check in expectation.holds for text in self._judge_check(check)]
        if problems:
            problems.append(f"with the package dbt said:\n{found.output}")
        return problems

    def _differences(self, expectation: Expectation, without: Outcome, found: Outcome) -> Iterator[str]:
        """Yields where two outcomes differ, but for what the expectation leaves open."""
        may_build, apart = self._full(expectation.may_build), self._full(expectation.apart)
        extra = {name for name in may_build if name not in without.relations}
        relations = {name: value for name, value in found.relations.items() if name not in extra}
        if not extra:
            yield from differences(without.schemas, found.schemas, "schemas")
        yield from differences(
            {name: value for name, value in without.relations.items() if name not in apart},
            {name: value for name, value in relations.items() if name not in apart},
            "relation",
        )
        yield from differences(without.files, found.files, "file")
        yield from differences(without.codes, found.codes, "exit code")
        if without.codes == found.codes:  # else all that follows from it differs too
            yield from differences(without.results, found.results, "run_results")
            yield from differences(without.manifest, found.manifest, "manifest")

    def _judge_healing(
        self, expectation: Expectation, before: Outcome, found: Outcome, reference: Outcome
    ) -> Iterator[str]:
        """Yields what is wrong with a healing: what exists must be as the reference has it."""
        heals, apart = self._full(expectation.heals), self._full(expectation.apart)
        missing = [name for name in heals if name not in before.relations]
        gone = reference.files.keys() - before.files.keys()
        if not missing and not gone and self.situation.warm is not None:
            yield "the situation is wrong: nothing is missing"
        commands = [step for step in self.situation.run if step.dbt is not None and self._is_for(step)]
        expected = [step.code == 0 for step in commands]
        succeeded = [code == 0 for code in found.codes]
        yield from differences(expected, succeeded, "success of command")
        for name in heals:
            if name not in found.relations and self._is_observable():
                yield f"relation.{name}: not healed"
        known = {name: value for name, value in reference.relations.items() if name in found.relations}
        compared = {name: value for name, value in found.relations.items() if name not in apart}
        yield from differences(
            {name: known[name] for name in known if name not in apart}, compared, "relation"
        )
        files = {name: reference.files.get(name) for name in found.files if name not in apart}
        yield from differences(files, {name: found.files[name] for name in files}, "file")
        yield from (f"file.{name}: it is gone" for name in before.files if name not in found.files)
        if self.situation.reference is None and expected == succeeded:
            yield from differences(reference.results, found.results, "run_results")
            yield from differences(reference.manifest, found.manifest, "manifest")

    def _is_observable(self) -> bool:
        """Tells whether what dbt has made can be seen when dbt has ended."""
        return not isinstance(self.database, DuckDbDatabase) or self.database.path.exists()

    def _judge_check(self, check: Check) -> Iterator[str]:
        """Yields a text if a query does not return the rows that it must."""
        rows = [list(row) for row in query(self.project, self._filled(check.sql))]
        if rows != check.rows:
            yield f"{check.sql}: {rows} and not {check.rows}"

    def _outcome(self, steps: Sequence[Step]) -> Outcome:
        """Does steps and looks at what they leave behind."""
        return look(self.project, self._do(steps))

    def _do(self, steps: Sequence[Step]) -> list[DbtResult]:
        """Does steps, and returns what dbt returned."""
        results = []
        for step in steps:
            if not self._is_for(step):
                continue
            if step.dbt is not None:
                line = arguments(self._filled(step.dbt))
                results.append(self.project.dbt(*line, env=step.env, check=False))
            elif step.sql is not None:
                self.database.execute(*[self._filled(sql) for sql in step.sql])
            elif step.drop is not None:
                self.database.drop(*step.drop)
            elif step.write is not None:
                self.project.write({path: self._filled(text) for path, text in step.write.items()})
            elif step.remove is not None:
                for path in step.remove:
                    self._remove(path)
            elif step.profile is not None:
                self._change_profile(step.profile)
        return results

    def _is_for(self, step: Step) -> bool:
        """Tells whether a step is done on this adapter."""
        return step.adapter in (None, self.database.adapter)

    def _remove(self, path: str) -> None:
        """Deletes a file or a folder of the project."""
        target = self.project.folder / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()

    def _change_profile(self, changes: dict[str, Any]) -> None:
        """Writes profiles.yml with more changes."""
        text = self._filled(yaml.safe_dump(changes))
        self._changes.update(yaml.safe_load(text) or {})
        self.project.write_profile(self._profile, **self._changes)

    def _install(self, *more: str) -> None:
        """Installs the situation's packages, and ours if asked, as `dbt deps` does for local packages."""
        folders = {name: self.project.folder / "packages" / name for name in self._packages}
        folders.update(dict.fromkeys(more, ROOT))
        if not folders:
            return
        packages = [{"local": str(folder)} for folder in folders.values()]
        self.project.write({"packages.yml": yaml.safe_dump({"packages": packages})})
        for name, folder in folders.items():
            link = self.project.folder / "dbt_packages" / name
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(folder)

    def _keep(self, state: str) -> None:
        """Keeps the state of project and database."""
        shutil.copytree(self.project.folder, self._states / state / "project", symlinks=True)
        if isinstance(self.database, PostgresDatabase):
            self.database.server.copy_database(self.database.name, f"{self.database.name}_{state}")
        else:
            shutil.copytree(self.folder / "database", self._states / state / "database")

    def _restore(self, state: str) -> None:
        """Brings a kept state back."""
        shutil.rmtree(self.project.folder)
        shutil.copytree(self._states / state / "project", self.project.folder, symlinks=True)
        if isinstance(self.database, PostgresDatabase):
            self.database.server.drop_database(self.database.name)
            self.database.server.copy_database(f"{self.database.name}_{state}", self.database.name)
        else:
            shutil.rmtree(self.folder / "database")
            shutil.copytree(self._states / state / "database", self.folder / "database")

    def _keep_parsing(self, name: str) -> None:
        """Keeps what dbt has parsed, with the package or without it."""
        parsed = self.project.folder / "target" / "partial_parse.msgpack"
        if parsed.exists():
            shutil.copy2(parsed, self._parsed / name)

    def _reuse_parsing(self, name: str) -> None:
        """Hands dbt what it has parsed in another state or situation, which saves most of its time."""
        target = self.project.folder / "target"
        target.mkdir(exist_ok=True)
        if (self._parsed / name).exists():
            shutil.copy2(self._parsed / name, target / "partial_parse.msgpack")

    def _full(self, names: Sequence[str]) -> list[str]:
        """Returns names of relations with their schema; paths of files stay as they are."""
        schema = self.database.default_schema
        return [self._filled(name) if {".", "/"} & {*name} else f"{schema}.{name}" for name in names]

    def _filled(self, text: str) -> str:
        """Returns a text with {folder}, {schema}, {database}, {role} and {host} filled in."""
        words = {"folder": str(self.project.folder), "schema": self.database.default_schema}
        if isinstance(self.database, PostgresDatabase):
            words |= {"database": self.database.name, "host": str(self.database.server.folder)}
            words |= {"role": "role_" + self.situation.name.replace("-", "_")}
        for word, value in words.items():
            text = text.replace(f"{{{word}}}", value)
        return text


def _judge_stop(
    expectation: Expectation, may_build: list[str], before: Outcome, without: Outcome, found: Outcome
) -> Iterator[str]:
    """Yields what is wrong with a stop: right only where dbt fails too, and before anything is done."""
    if not any(without.codes):
        yield "the situation is wrong: without the package the command works"
    if not any(found.codes):
        yield "the command did not stop"
    yield from (f"not said: {text}" for text in expectation.stops if text not in found.output)
    after = {name: value for name, value in found.relations.items() if name not in may_build}
    yield from differences(before.relations, after, "relation (before and after)")
    yield from differences(before.files, found.files, "file (before and after)")


def _wrong_codes(steps: Sequence[Step], results: Outcome | list[DbtResult], adapter: str) -> list[str]:
    """Returns a text for each dbt command without the package whose exit code is not the one of its step."""
    commands = [step for step in steps if step.dbt is not None and step.adapter in (None, adapter)]
    codes = results.codes if isinstance(results, Outcome) else [result.returncode for result in results]
    output = (
        results.output if isinstance(results, Outcome) else "\n".join(result.explain() for result in results)
    )
    return [
        f"`dbt {step.dbt}` ended with {code} and not {step.code}:\n{output}"
        for step, code in zip(commands, codes, strict=True)
        if code != step.code
    ]
