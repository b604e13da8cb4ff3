"""A metric, a method and a dataset for Demur; `pyproject.toml` says where each of them is."""
