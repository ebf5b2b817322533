"""Copies of the published tables where other engines look: in PostgreSQL, or as Parquet in a folder."""
