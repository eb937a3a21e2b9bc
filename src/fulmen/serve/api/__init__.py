"""The routers of the service, one file per subject; none knows another."""

from fastapi import APIRouter

from fulmen.serve.api import (
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

SUBJECTS = (  # the published /api/models/best comes before /api/models/{ref}
    operations, session, docs, published, forms, data, jobs, runs, searches, rankings, predictions, models,
)  # fmt: skip
ROUTERS: tuple[APIRouter, ...] = tuple(subject.router for subject in SUBJECTS)
