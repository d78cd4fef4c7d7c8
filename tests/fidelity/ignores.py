"""What differs between two plain builds, and therefore may differ between a plain build and a healed one."""

from __future__ import annotations

from catalog import Ignore

IGNORES: tuple[Ignore, ...] = ()
