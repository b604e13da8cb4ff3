"""From a model and questions to a report: the stages of a run, in one direction, and studies of runs."""
