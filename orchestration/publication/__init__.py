"""The published store: how a build gets into it, and how it is read."""
