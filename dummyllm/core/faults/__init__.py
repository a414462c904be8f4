"""What can go wrong on purpose: every misbehaviour a file, each with what it teaches a runner."""
