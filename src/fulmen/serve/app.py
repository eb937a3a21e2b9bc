"""The application: services, routers and errors put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from fulmen.serve.api import ROUTERS
from fulmen.serve.description import OF_ALL, describe
from fulmen.serve.guard import Guard
from fulmen.serve.problems import add_handlers, answers
from fulmen.serve.services import Services
from fulmen.serve.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Nothing is started before its lifespan begins."""
    services = Services(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(services.start)
        try:
            yield
        finally:
            await run_in_threadpool(services.stop)

    app = FastAPI(title="fulmen", version=version("fulmen"), lifespan=lifespan, docs_url=None, redoc_url=None,
                  openapi_url="/api/openapi.json", responses=answers(*OF_ALL))  # fmt: skip
    app.state.services = services
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    add_handlers(app)
    app.add_middleware(Guard, services.admission, settings.limits, services.metrics)
    for router in ROUTERS:
        app.include_router(router)
    return app
