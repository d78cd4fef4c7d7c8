"""SQLAlchemy models: their DDL, their difference from the database, and migrations made of it."""
