"""Runs SQL statements in one Spark session; started by SparkDatabase in an environment that has Spark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

request = json.loads(sys.argv[1])
builder = SparkSession.builder.enableHiveSupport()
for key, value in request["settings"].items():
    builder = builder.config(key, value)
session = builder.getOrCreate()
answers = [[list(row) for row in session.sql(statement).collect()] for statement in request["statements"]]
Path(request["answer"]).write_text(json.dumps(answers, default=str))
session.stop()
