"""Notices: a short digest of what became of a run, to mail, chat and webhooks."""
