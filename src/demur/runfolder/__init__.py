"""The folder of a run: its paths, its lock and manifest, and what a finished run holds."""
