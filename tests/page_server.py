"""A server on a thread of its own, for a browser to open."""

import contextlib
import threading
import time

import uvicorn

from demur.serve import ServeSettings, create_app


@contextlib.contextmanager
def serving(answerer, **settings):
    """The address of a server that runs until the block ends."""
    app = create_app(answerer, ServeSettings(**settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()
