"""What is told and kept of an attempt: events, progress, errors with remedies, times; no credentials."""
