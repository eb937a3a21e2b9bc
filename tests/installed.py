"""fulmen as others have it: a wheel in an environment of its own, which sees other packages here but no checkout."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

UV = Path(sysconfig.get_path("scripts"), "uv")
OF_THIS_PROCESS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "FULMEN_CACHE", "XDG_CACHE_HOME", "VIRTUAL_ENV")
OF_MAKE = ("ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS")  # these tests may themselves be started by make
NO_NETWORK = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}


def outside():
    """The environment of this process without what leads to the checkout."""
    return {name: value for name, value in os.environ.items() if name not in OF_THIS_PROCESS + OF_MAKE}


def uv(*arguments):
    done = subprocess.run([UV, *arguments], env=outside(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def built(source, folder, *kinds):
    """The wheel of the checkout in `source`; with no `kinds` of files the sdist too, and the wheel is made of that."""
    uv(
        "build",
        "--quiet",
        "--offline",
        "--no-build-isolation",
        *kinds,
        "--python",
        sys.executable,
        "-o",
        folder,
        source,
    )
    return next(Path(folder).glob("*.whl"))


class Installed:
    """An environment in `place` that holds `wheel`, with the folder `work` to be in.

    Attributes:
        packages: where the wheel was installed.
        home: of the person who uses it.
    """

    def __init__(self, place, wheel):
        self.home, self.work, self.bin = place, place / "work", place / "venv" / "bin"
        uv("venv", "--quiet", "--offline", "--python", sys.executable, place / "venv")
        self.packages = next((place / "venv").glob("lib/python*/site-packages"))
        (self.packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # .pth files there are not read
        self.work.mkdir()
        self.install(wheel)

    def install(self, wheel):
        uv("pip", "install", "--quiet", "--no-index", "--no-deps", "--compile-bytecode",
           "--python", self.bin / "python", wheel)  # fmt: skip

    def __call__(self, *arguments, program="fulmen", folder=".", **environment):
        """What a program ends with, called in `folder` below `work` by somebody who has activated the environment."""
        whole = outside() | NO_NETWORK | {
            "HOME": str(self.home), "FULMEN_REGISTRY": str(self.work / folder / "outputs" / "models"),
            "PATH": f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin", **environment,
        }  # fmt: skip
        program = self.bin / program if (self.bin / program).exists() else program
        return subprocess.run([program, *arguments], cwd=self.work / folder, env=whole, capture_output=True, text=True,
                              timeout=250)  # fmt: skip
