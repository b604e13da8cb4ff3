"""The playground behind a real server, on a thread of its own: the page, its routes, a key, a policy."""

import contextlib
import threading
import time

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from demur.serving.page_api import PAGE, router

POLICY = "default-src 'self'"


def make_app(answerer, key=None):
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, proceed):
        asks = request.url.path.startswith("/api/")
        if key and asks and request.headers.get("Authorization") != f"Bearer {key}":
            return JSONResponse({"detail": "A key is needed."}, 401)
        response = await proceed(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    app.include_router(router(answerer))
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


@contextlib.contextmanager
def serving(app):
    """The address of a server that runs until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
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
