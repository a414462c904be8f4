"""`serve`: a server from the beginning of a block to its end."""

from __future__ import annotations

from types import TracebackType

from dummyllm.assembly import app_of
from dummyllm.cli.listener import listen, url_of
from dummyllm.eliza import own_script
from dummyllm.settings import Settings
from dummyllm.testing.dummy import Dummy
from dummyllm.testing.loop import LoopThread
from dummyllm.testing.named import Value, settings_of
from dummyllm.testing.server import Server

HOST = "127.0.0.1"
ANY_PORT = 0


def serve(**settings: Value) -> Serving:
    """Return what runs a server in a `with` block, or in an `async with` block.

    *settings* are those of the environment, in small letters and without `DUMMYLLM_`: `mode="flaky", seed=7`. Two have
    another default: `admin` is on, and `verdict_identity` is `payload`. Raise `SettingsError` with all mistakes.
    """
    return Serving(settings_of(settings))


class Serving:
    """Runs a server with *settings* in a block; one block at a time.

    To start or stop one takes a millisecond or two, so `async with` does not await it: it needs no event loop, and goes
    with any.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: tuple[LoopThread, Server, Dummy] | None = None

    def __enter__(self) -> Dummy:
        """Start a server, and return what it is known by."""
        if self._running is not None:
            raise RuntimeError("this server runs already; call serve() again for another one")
        if self._settings.eliza_file is None:
            own_script()  # read here and now: the first reply would hold up the loop that all servers share
        thread = LoopThread.shared()
        listener = listen(HOST, ANY_PORT)
        try:
            app = app_of(self._settings)
            server = Server(app, listener)
            thread.run(server.start())
        except BaseException:
            listener.close()
            raise
        thread.guests.add(server)
        dummy = Dummy(url_of(listener), app.backend, self._settings, thread)
        self._running = thread, server, dummy
        return dummy

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server; in a forked child there is none."""
        assert self._running is not None, "a block that ends was entered"
        (thread, server, dummy), self._running = self._running, None
        if thread.is_here:
            thread.guests.discard(server)
            thread.run(server.stop())
            dummy.end()

    async def __aenter__(self) -> Dummy:
        """Start a server, and return what it is known by."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.__exit__(kind, error, traceback)
