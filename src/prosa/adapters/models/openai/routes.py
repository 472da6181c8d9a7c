"""The URLs of a server of OpenAI's wire."""

import re

from yarl import URL

from prosa.adapters.models.http import endpoint
from prosa.adapters.models.openai.dialect import Dialect
from prosa.domain.errors import NoSuchModel

DEPLOYMENT = re.compile(r"(?!\.+$)[\w.-]{1,200}", re.ASCII)


class Routes:
    """Each URL, below the base of `dialect`. Raises `MisconfiguredError` where that is none."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.chat = self._at("chat/completions", "")
        self.listing = self._at("models", "")
        self.counting = self._at(dialect.counting, "") if dialect.counting else None

    def to(self, path: str, model: str) -> URL:
        """Where `path` is for `model`. Raises `NoSuchModel` for a name that no deployment can have."""
        if self._dialect.deployments and not DEPLOYMENT.fullmatch(model):
            raise NoSuchModel(self._dialect.name, model=model)
        return self._at(path, model)

    def _at(self, path: str, model: str) -> URL:
        name, base, version = self._dialect.name, self._dialect.base_url, self._dialect.deployments
        if not version:
            return endpoint(name, base, path)
        url = endpoint(name, base, f"openai/deployments/{model}/{path}" if model else f"openai/{path}")
        return url if "api-version" in url.query else url.extend_query({"api-version": version})
