"""The questions of a run: read, divided, and kept in its folder."""

from __future__ import annotations

from demur.pipeline.job import Job


def run(job: Job) -> None:
    """Write the questions, in their parts."""
    loaded = job.loaded
    job.hashes.data = loaded.questions.digest()
    job.questions = loaded.questions
    with job.stage("data", job.hashes.data, job.folder.questions) as notes:
        if notes is None:
            return
        loaded.questions.write(job.folder.questions)
        notes["report"] = loaded.report.to_dict()
        if job.tried:
            notes["tried_prompts"] = [tried.to_dict() for tried in job.tried]
    for line in loaded.report.lines():
        job.listener.note(line)
