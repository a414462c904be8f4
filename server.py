"""`uvicorn server:app`, as SPEC.md has it."""

from dummyllm.asgi import app

__all__ = ["app"]
