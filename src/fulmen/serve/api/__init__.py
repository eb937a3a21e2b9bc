"""The routers of the service, one file per subject; none knows another."""

from fastapi import APIRouter

from fulmen.serve import pages
from fulmen.serve.api import (
    alerts,
    data,
    docs,
    forms,
    jobs,
    models,
    operations,
    predictions,
    published,
    rankings,
    runs,
    searches,
    session,
)

SUBJECTS = (  # predictions first, as each router before costs time; the published /api/models/best before models
    predictions, operations, session, docs, published, forms, data, jobs, runs, searches, rankings, models,
    pages, alerts,
)  # fmt: skip
ROUTERS: tuple[APIRouter, ...] = tuple(subject.router for subject in SUBJECTS)
