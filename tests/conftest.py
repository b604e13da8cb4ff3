"""Settings for every test."""

from hypothesis import settings

# A busy machine is no defect: no example fails for being slow.
settings.register_profile("demur", deadline=None)
settings.load_profile("demur")
