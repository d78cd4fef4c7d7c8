"""Reads everything in a Spark metastore into a file; run by harness.py in an environment that has Spark.

The argument is JSON with `settings` of the session and `answer`, the file that catalog.save writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).parent))

from catalog import save, snapshot_spark

request = json.loads(sys.argv[1])
builder = SparkSession.builder.enableHiveSupport()
for key, value in request["settings"].items():
    builder = builder.config(key, value)
session = builder.getOrCreate()
save(
    snapshot_spark(session, [row[0] for row in session.sql("show schemas").collect()]),
    Path(request["answer"]),
)
session.stop()
