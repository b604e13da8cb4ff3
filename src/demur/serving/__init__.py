"""An honest model behind HTTP: OpenAI's API, with how sure each answer is beside it."""

from demur.serving.app import create_app
from demur.serving.contents import check_contents
from demur.serving.running import serve
from demur.serving.settings import ServeSettings

__all__ = ["ServeSettings", "check_contents", "create_app", "serve"]
