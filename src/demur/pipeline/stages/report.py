"""The page that shows what came of a run."""

from __future__ import annotations

from demur.core.files import digest
from demur.core.version import __version__
from demur.pipeline.job import Job


def run(job: Job) -> None:
    """Write report.html."""
    inputs = digest([__version__, job.hashes.evaluate])
    with job.stage("report", inputs, job.folder.report) as notes:
        if notes is None:
            return
        from demur.report import write_report

        job.manifest.save()
        write_report(job.folder.root)
