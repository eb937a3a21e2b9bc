"""Experiments and groups of a project of one's own, beside those of fulmen."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from fulmen.config.places import own_conf


class OwnConf(SearchPathPlugin):
    """Adds conf/ of the working directory, where a project has experiments."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        if own := own_conf():
            search_path.append(provider="own project", path=f"file://{own}")
