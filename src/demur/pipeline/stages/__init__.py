"""The stages of a run, one file for each; its `run` carries it out. `pipeline.pipeline` has their order."""
