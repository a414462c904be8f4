"""Judges a runner by what the server saw of it: pure functions of journal lines, and only what is proven convicts."""
