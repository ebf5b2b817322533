"""The brand experience metric store: ingest, dbt, gate and publication, orchestrated by Dagster."""
