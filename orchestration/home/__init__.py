"""A home: its layout, its one writer, its Dagster instance."""
