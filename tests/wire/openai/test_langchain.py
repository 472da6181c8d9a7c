"""LangChain's own tests for chat models, with its client for OpenAI and our address."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from tests.wire.openai.oracle import oracle
from tests.wire.served import Served

FILES = {
    ".png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    ".pdf": b"%PDF-1.4\n%%EOF\n",
}
"""What the tests would fetch from the network: nobody looks into it."""


# Its tests and clients warn of things that are theirs.
@pytest.mark.filterwarnings("default")
class TestLangChain(ChatModelIntegrationTests):
    url: str

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _served(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with Served(tmp_path_factory.mktemp("langchain")) as served:
            served.house.script = oracle
            cls.url = served.url
            yield

    @pytest.fixture(autouse=True)
    def _files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=FILES[url[url.rindex(".") :]])

        monkeypatch.setattr(httpx, "get", get)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # No connection outlives its request: the next test has another loop.
        once = httpx.Limits(max_keepalive_connections=0)
        return {
            "model": "fake/fake-1",
            "base_url": f"{self.url}/v1",
            "api_key": "none",
            "stream_usage": True,
            "http_client": httpx.Client(limits=once, trust_env=False),
            "http_async_client": httpx.AsyncClient(limits=once, trust_env=False),
        }

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "other"
