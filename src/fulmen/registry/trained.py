"""A trained model by whatever it is called: a kept model, or a run folder."""

from fulmen.errors import FulmenError
from fulmen.registry.store import Store
from fulmen.runs.named import is_run, run_named
from fulmen.workload import Trained, hooks


def trained(name: str) -> Trained:
    """The model that `pump`, `pump:3`, `pump@champion`, `pbpk_gnn/<stamp>` or the path of a run folder means.

    Raises:
        FulmenError: there is neither, it is damaged, or its workload reads no input.
    """
    folder = run_named(name)
    if is_run(folder):
        from fulmen.runs.run_folder import Run

        run = Run(folder)
        model = hooks(run.model)
        schema = model.input_schema(run.data)
        if schema is None:
            raise FulmenError(f"{name}: {type(run.model).__name__} reads no input (it has no input_schema)")
        return Trained(model, schema, name, run.known.get("cost", {}).get("precision"))
    if folder.exists() or "/" in name:
        raise FulmenError(
            f"{name} is no run folder: it has no config.yaml; `fulmen runs` and `fulmen models` list both"
        )
    version = Store().find(name)
    from fulmen.registry.predictor import Predictor

    predictor = Predictor(version)
    return Trained(hooks(predictor.model), predictor.schema, str(version), predictor.precision)
