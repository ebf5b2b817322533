"""Data contracts: what may come in and what goes out, as an Open Data Contract Standard document, and what changed."""
