"""An honest model behind HTTP: OpenAI's API, with how sure each answer is beside it."""

from demur.serve.app import create_app
from demur.serve.contents import check_contents
from demur.serve.running import serve
from demur.serve.settings import ServeSettings

__all__ = ["ServeSettings", "check_contents", "create_app", "serve"]
