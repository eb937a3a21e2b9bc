"""A line fitted by gradient descent."""

from typing import ClassVar

import pandas
import torch
from torch import nn

import fulmen


class Line(nn.Module):
    """[B, 1] -> [B, 1], by way of a hidden layer of `width` units; 0: a straight line."""

    def __init__(self, width: int = 0):
        super().__init__()
        bent = [nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1)] if width else [nn.Linear(1, 1)]
        self.layers = nn.Sequential(*bent)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class LineFit(fulmen.Workload):
    """Mean squared error of y."""

    directions: ClassVar = {"r2": "max"}
    ranking_metrics: ClassVar = {"r2": True, "mse": False}

    def step(self, batch, stage):
        y_hat = self.network(batch["x"])
        return nn.functional.mse_loss(y_hat, batch["y"]), {"y": y_hat}

    def predict_step(self, batch, batch_idx=0):
        return {"y": self.network(batch["x"])}

    def summarize(self, predicted, data, figures):
        train, test = data.splits["train"]["y"], data.splits["test"]
        forecasts = {"network": predicted["y"], "constant": train.mean().expand_as(test["y"])}
        mse = {name: float((y - test["y"]).square().mean()) for name, y in forecasts.items()}
        found = {name: {"mse": each, "r2": 1 - each / float(test["y"].var(correction=0))} for name, each in mse.items()}
        items = {"item": test["item"], "loss": (predicted["y"] - test["y"]).square()[:, 0]}
        rows = [{"": name, **scores} for name, scores in found.items()]
        return fulmen.Summary(found.pop("network"), found, {"Test split": rows}, items=items)

    def input_schema(self, data):
        return {"format": "a CSV with a column x"}

    def predict_file(self, path, schema, **reading):
        table = pandas.read_csv(path)
        x = torch.tensor(table[["x"]].to_numpy(), dtype=torch.float32)
        return table.assign(y=self.predict_step({"x": x})["y"][:, 0].numpy())
