"""The health of a workspace: a report, as text, as a page and as metrics."""
