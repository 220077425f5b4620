"""An import contract of our own: modules that may import the standard library and themselves."""

import sys
from collections.abc import Iterable
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyStdlib(Contract):
    """``modules`` (packages with all inside; absent ones are ignored) import nothing else."""

    modules = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        roots = list(cast(Iterable[str], self.modules))
        pure = sorted(module for module in graph.modules if _inside(module, roots))
        broken = [
            f"{module} -> {imported}"
            for module in pure
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if not _inside(imported, roots) and imported not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(f"{line}: neither the standard library nor pure")


def _inside(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
