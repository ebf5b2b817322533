"""The dbt project, and the engines that can run it."""
