"""What a form needs to start a job: experiments, all that can be changed of one, and what is wrong with a form."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError
from fulmen.launch.record import Job, Kind
from fulmen.serve.problems import Fault, answers, from_error
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api", tags=["forms"])

Overrides = Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=500)]


class Experiment(BaseModel):
    """Something that can be trained."""

    name: str
    about: str


class Experiments(BaseModel):
    """All of them."""

    items: list[Experiment]
    total: int


class Asked(BaseModel):
    """A job as far as it was filled in."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "train"
    experiment: Annotated[str, Field(max_length=200)] = ""
    overrides: Overrides = []
    options: dict[str, Any] = {}


class Judgement(BaseModel):
    """What is wrong with it, and the command line that does the same."""

    ok: bool
    errors: list[Fault]
    works: str | None = Field(description="a command without the mistakes")
    command: str = Field(description="the equivalent command line")


@router.get("/experiments")
def experiments() -> Experiments:
    """What can be trained."""
    from fulmen.config.comments import first_comment
    from fulmen.config.places import conf_file
    from fulmen.config.schema import choices

    found = [
        Experiment(name=name, about=first_comment(conf_file(f"experiment/{name}.yaml")))
        for name in choices("experiment")
    ]
    return Experiments(items=found, total=len(found))


@router.get("/schema/{experiment}", responses=answers(404, 422, 503))
def schema(
    experiment: str, services: Wanted, request: Request, override: Annotated[Overrides, Query()] = []  # noqa: B006
) -> dict[str, Any]:  # fmt: skip
    """All that can be chosen and changed of an experiment, as `fulmen schema` prints it; `override=` chooses others."""
    return services.judge.schema(experiment, override, request.state.by)


@router.post("/judge", responses=answers(422))
def judge(asked: Asked, services: Wanted, request: Request) -> Judgement:
    """What is wrong with a job that somebody is about to ask for; nothing is started."""
    command = Job("", asked.kind, "", asked.experiment, tuple(asked.overrides), asked.options).typed
    try:
        services.judge.refuse(asked.kind, asked.experiment, asked.overrides, asked.options, request.state.by)
    except FulmenError as error:
        problem = from_error(error)
        faults = problem.errors if isinstance(error, ConfigError) else [Fault(key="", problem=str(error))]
        return Judgement(ok=False, errors=faults, works=problem.works, command=command)
    return Judgement(ok=True, errors=[], works=None, command=command)
