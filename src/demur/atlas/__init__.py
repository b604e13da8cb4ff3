"""Atlas: questions about real places and chemical elements, with the popularity of what is asked about.

`build_atlas` makes a folder of questions from packages of the Python index; the data set ``atlas``
(`demur.datasets.atlas`) reads it. No entity lies in two parts, over all relations.
"""

from demur.atlas.build import Built, build_atlas

__all__ = ["Built", "build_atlas"]
