"""Settings for every test."""

import pytest
from hypothesis import settings

# A busy machine is no defect: no example fails for being slow.
settings.register_profile("demur", deadline=None)
settings.load_profile("demur")


@pytest.fixture(scope="session", autouse=True)
def own_key(tmp_path_factory):
    """A data folder of the tests' own, so that no key is made in that of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield
