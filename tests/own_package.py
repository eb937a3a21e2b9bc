"""A project of one's own, written into a folder for the time of some tests."""

import os
import sys
from contextlib import contextmanager


@contextmanager
def own_package(folder, files, called, name):
    """The files of a project, in which it is `called` so, under another name; the working directory inside the block.

    Args:
        files: path -> content.
        name: another one for each module of tests, for what is imported is remembered.
    """
    for file, content in files.items():
        path = folder / file.replace(called, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace(called, name))
    path, before = list(sys.path), os.getcwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
        sys.path[:] = path
        for module in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[module]
