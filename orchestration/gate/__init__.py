"""The gate judges the profile of each week. All but `context` and `judge` is cheap to import."""
