"""dummyLLM: the LLM job backend that misbehaves the same way twice."""

__version__ = "0.3.1"

__all__ = ["__version__"]
