"""What dummyLLM costs, measured beside the least an ASGI app can do."""
