"""What the scripts for both engines have in common: a job is read, done, and its failure reported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbt_selfheal_supervisor import Reporter


class FailedError(Exception):
    """dbt failed, and its errors have been reported."""


def do(reporter: Reporter | None, work: Callable[[dict[str, Any], Reporter], None]) -> int:
    """Does the job that the first argument names a file of.

    Args:
        reporter: Where messages go; None if no wrapper has started this.
        work: What is done with the job.

    Returns:
        The exit code: 0, 1 when dbt failed, 2 without a wrapper.
    """
    if reporter is None:
        print("this script is started by dbt-selfheal", file=sys.stderr)  # noqa: T201
        return 2
    try:
        work(json.loads(Path(sys.argv[1]).read_text()), reporter)
    except FailedError:
        return 1
    except Exception as error:
        reporter.send("error", name=type(error).__name__, message=f"{type(error).__name__}: {error}")
        return 1
    return 0
