"""What differs between two plain builds, and therefore may differ between a plain build and a healed one.

Found by building everything twice and comparing (``harness.py twice``). An entry is a column whose values
come from the clock, nothing else. Names of indexes are not listed: ``catalog`` leaves the time out of them.
"""

from __future__ import annotations

from catalog import Ignore

_CLOCK = "a check snapshot takes its times from the clock, and its key from its times"
_CLOCK_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from")

IGNORES: tuple[Ignore, ...] = (
    Ignore("plain_bed.snap_check", _CLOCK, columns=_CLOCK_COLUMNS),
    Ignore("main.snap_check", _CLOCK, columns=_CLOCK_COLUMNS),  # the SQLite bed
    Ignore("bed_snapshots.snap_check_all", _CLOCK, columns=_CLOCK_COLUMNS),
    Ignore("bed_snaps.ysnap_aliased", _CLOCK, columns=_CLOCK_COLUMNS),
    Ignore("ysnaps.ysnap_of_source", _CLOCK, columns=_CLOCK_COLUMNS),
)
