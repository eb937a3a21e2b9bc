"""A kept version copied to an MLflow server: the same files, its aliases, and tags that say where it comes from."""

from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.registry.store import Store
from fulmen.registry.versions import Version

EXPERIMENT = "fulmen"


def push(reference: str | Version, uri: str, registry: str | Path | None = None, client: Any = None) -> str:
    """Copy a version to the server at `uri`; returns what it is called there.

    The bundle goes up as it is, so a copy brought back into a registry folder verifies. Test metrics are logged, the
    aliases set.

    Args:
        client: an `mlflow.MlflowClient`; made of `uri` if not given.

    Raises:
        FulmenError: no such version, one that is damaged, no mlflow, or a server that refuses.
    """
    store = Store(registry)
    version = store.find(reference)
    version.verify()
    client = client or _client(uri)
    try:
        identity, source = _run_of(version, client)
        there = _version_of(version, client, identity, source)
        for alias in store.aliases(version.name).of(version.number):
            client.set_registered_model_alias(version.name, alias, there)
    except FulmenError:
        raise
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise FulmenError(f"{uri} refuses {version}: {said}") from error
    return f"{version} is {version.name} version {there} at {uri}"


def _run_of(version: Version, client: Any) -> tuple[str, str]:
    """A run that holds the bundle and its metrics: its identity, and where the bundle lies."""
    known = client.get_experiment_by_name(EXPERIMENT)
    experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT)
    run = client.create_run(experiment, run_name=str(version))
    identity = run.info.run_id
    for name, value in (version.manifest.get("metrics") or {}).items():
        if value is not None:
            client.log_metric(identity, name, value)
    client.log_artifacts(identity, str(version.folder), "model")
    client.set_terminated(identity)
    return identity, f"{run.info.artifact_uri}/model"


def _version_of(version: Version, client: Any, identity: str, source: str) -> Any:
    """What the server calls the version that it makes of a run's bundle."""
    facts = version.manifest
    if not client.search_registered_models(filter_string=f"name='{version.name}'"):
        client.create_registered_model(version.name)
    tags = {
        "fulmen.version": str(version),
        "workload": str(facts.get("workload")),
        "data_fingerprint": str(facts.get("data_fingerprint")),
    }
    note = facts.get("note")
    return client.create_model_version(version.name, source, run_id=identity, tags=tags, description=note).version


def _client(uri: str) -> Any:
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError:
        raise FulmenError("push needs mlflow; install it with: pip install mlflow") from None
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
