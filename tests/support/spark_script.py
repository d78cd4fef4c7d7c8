"""Runs SQL in one Spark session; started by SparkDatabase in an environment that has Spark.

The argument is JSON with `settings`, `statements` and `answer`, the file for the rows of each statement;
with `relations` also the rows (schema, name, kind) of all relations, as the last answer.
"""

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
if request["relations"]:
    found = []
    for schema in [row[0] for row in session.sql("show schemas").collect()]:
        views = {row[1] for row in session.sql(f"show views in `{schema}`").collect()}
        names = [row[1] for row in session.sql(f"show tables in `{schema}`").collect()]
        found += [[schema, name, "view" if name in views else "table"] for name in names]
    answers.append(sorted(found))
Path(request["answer"]).write_text(json.dumps(answers, default=str))
session.stop()
