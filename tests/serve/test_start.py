"""`fulmen serve` is ready soon and says in one line why it is not."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import started

from fulmen.errors import FulmenError
from fulmen.serve.server import listening_at


def test_it_says_that_it_is_alive_and_ready(client):
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["status"] == "ready"


def test_an_unknown_address_is_answered_with_problem_details(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"


def test_the_application_imports_nothing_heavy():
    program = "import sys, json; import fulmen.serve.app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert modules & {"torch", "lightning", "numpy", "pandas", "optuna", "sklearn", "scipy", "hydra"} == set()


def test_a_port_in_use_is_told_with_another():
    with listening_at("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        first.listen()
        with pytest.raises(FulmenError, match=f"port {port} is in use; choose another: fulmen serve --port {port + 1}"):
            listening_at("127.0.0.1", port)


@pytest.mark.service
def test_a_real_server_is_ready_and_ends_in_peace(server):
    assert server.client.get("/ready").json()["status"] == "ready"
    said = server.stop()
    assert "stopped; " in said
    assert server.process.returncode == 0


def cpu_seconds(pid):
    """Of a process so far, as Linux counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the seconds of a process as Linux tells them")
def test_it_is_ready_after_three_seconds_of_work_at_most_and_a_second_one_says_who_holds_the_outputs(server_of_its_own):
    served = server_of_its_own
    assert cpu_seconds(served.process.pid) < 3  # a busy machine takes longer by the clock
    second = [sys.executable, "-m", "fulmen", "serve", "--port", "0"]
    done = subprocess.run(second, cwd=served.home, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"process {served.process.pid}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    libraries = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert "libtorch" not in libraries


@pytest.fixture
def server_of_its_own(tmp_path):
    served = started(tmp_path)
    assert served.client.get("/ready").status_code == 200
    yield served
    served.client.close()
    served.stop()


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path):
    program = "import sys; sys.modules['uvicorn'] = None; from fulmen.cli import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: fulmen serve needs uvicorn: pip install 'fulmen[serve]'\n")


def test_a_full_disk_is_told_and_nothing_half_stays(client, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fulmen.serve.uploads.os.fsync", full)
    answer = client.post("/api/uploads", files={"file": ("x.csv", b"a,b\n")})
    assert answer.status_code == 507
    assert "no space left" in answer.json()["detail"]
    assert client.get("/api/data").json()["total"] == 0
