"""Experiments, groups and defaults of a project of one's own, on top of those of fulmen."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from fulmen.config.places import own_conf


class OwnConf(SearchPathPlugin):
    """Puts conf/ of the project that the working directory lies in before that of fulmen."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        if own := own_conf():
            search_path.prepend(provider="own project", path=f"file://{own}")
