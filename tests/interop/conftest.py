"""A provider to sign in at, over the wire: these libraries insist on HTTP."""

from collections.abc import Iterator

import pytest

from tests.helpers.databases import Databases
from tests.helpers.servers import serve
from tests.interop.provider import CHEAP_HASH, Provider


@pytest.fixture(scope="module")
def provider(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """One server for a module, and Alice, who has a password and nothing else."""
    folder = tmp_path_factory.mktemp("provider")
    with (
        databases.fresh("sqlite") as url,
        # Whoever sends proofs of possession is asked for a nonce first; others notice nothing.
        serve(url, folder, settings={**CHEAP_HASH, "IDP_DPOP_NONCES": "true"}) as (server,),
    ):
        yield Provider(server, url)
