"""What a good runner keeps to: every invariant a file, each with what it means and how it is broken."""
