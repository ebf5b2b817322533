"""Which weeks? What a week and its A are, which are new or due, and which a run was launched for."""
