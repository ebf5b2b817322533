"""The dbt project, which makes every figure, and its registry for Python."""
