"""The only package that knows HTTP: a thin shell around the backend."""
