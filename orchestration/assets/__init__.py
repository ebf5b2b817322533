"""The assets, one module per step of a run: landing, plan, build, gate, publish, report, copy, notice."""
