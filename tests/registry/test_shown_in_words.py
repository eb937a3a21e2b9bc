"""A kept model is described in words, an ensemble too."""

from fulmen.registry.verbs import described


def test_an_ensemble_has_no_network_called_none_and_splits_are_no_dict():
    facts = {"name": "m", "version": 1, "aliases": [], "created": "", "folder": "x", "data_fingerprint": "ab",
             "architecture": {"network": None, "parameters": 1234},
             "split": {"samples": {"train": 1384, "test": 120}}}  # fmt: skip
    said = described(facts)
    assert said["network"] == "an ensemble of several, 1,234 parameters"
    assert said["data"] == "ab, 1,384 train, 120 test"
