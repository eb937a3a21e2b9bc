"""A few malformed requests for every operation; benchmarks/proofs/serve_fuzz.py sends 1,000."""

import pytest

from benchmarks.proofs.serve_fuzz import operations_of, tried


@pytest.mark.slow
def test_malformed_requests_are_answered_as_described(tmp_path):
    found = {operation.label: tried(operation, 3, 7)[1] for operation in operations_of(tmp_path)}
    assert len(found) > 40
    assert {label: wrong for label, wrong in found.items() if wrong} == {}
