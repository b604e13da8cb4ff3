"""An honest model behind HTTP: OpenAI's API, with a confidence on every answer."""

from demur.serve.app import create_app
from demur.serve.contents import check_contents
from demur.serve.running import serve
from demur.serve.settings import ServeSettings

__all__ = ["ServeSettings", "check_contents", "create_app", "serve"]
