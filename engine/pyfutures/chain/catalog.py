"""All roots: the built-in catalogue with the user's folders laid over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pyfutures.chain.chain import Chain
from pyfutures.chain.validate import read_catalog
from pyfutures.diagnostics import SpecError
from pyfutures.specs.words import suggestion

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from pyfutures.calendars import Calendar


class UnknownRootError(KeyError):
    """A root that no folder of the catalogue has; the text names the nearest one."""

    def __str__(self) -> str:
        """Print one sentence: a KeyError would print its repr."""
        return str(self.args[0])


class Catalog(Mapping[str, Chain]):
    """Chains by root.

    Parameters
    ----------
    chains
        Chains by root.
    calendars
        Calendars by name.

    Examples
    --------
    >>> from pyfutures.chain import Catalog
    >>> from pyfutures.months import ContractMonth
    >>> Catalog.load()["ES"].row(ContractMonth(2026, 3)).last_trade
    datetime.date(2026, 3, 20)
    """

    def __init__(self, chains: Mapping[str, Chain], calendars: Mapping[str, Calendar]) -> None:
        self._chains = dict(chains)
        self.calendars = calendars

    @classmethod
    def load(cls, *folders: str | os.PathLike[str], roots: Collection[str] | None = None) -> Self:
        """The built-in catalogue, with each folder laid over what came before it, root by root.

        Parameters
        ----------
        folders
            Folders like ``contracts/``: ``<exchange>/<ROOT>.yaml`` and ``calendars/*.yaml``.
        roots
            Read only these roots and what they need; all of them by default.

        Raises
        ------
        SpecError
            If any file has an error; it carries every diagnostic and prints as the command line
            does.
        UnknownRootError
            If one of ``roots`` is in no folder.
        FileNotFoundError
            If a folder does not exist.
        """
        for folder in folders:
            if not Path(folder).is_dir():
                raise FileNotFoundError(f"{folder} is not a folder of contracts")
        checked = read_catalog(folders, roots)
        unknown = [item for item in checked.diagnostics if item.code == "PF507"]
        if unknown:
            raise UnknownRootError(". ".join(f"{item.message}; {item.help}" for item in unknown))
        if checked.errors:
            raise SpecError(checked.errors)
        return cls(checked.chains, checked.calendars)

    def __getitem__(self, root: str) -> Chain:
        if root not in self._chains:
            hint = suggestion(root, self._chains, "the roots are")
            raise UnknownRootError(f"unknown root `{root}`; {hint}")
        return self._chains[root]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chains)

    def __len__(self) -> int:
        return len(self._chains)

    def __repr__(self) -> str:
        return f"Catalog({len(self)} roots)"

    @property
    def fingerprint(self) -> str:
        """sha256 over the fingerprints of all chains, in order of roots."""
        import hashlib  # noqa: PLC0415 - only where something is stored

        digest = hashlib.sha256()
        for root in sorted(self):
            digest.update(f"{root} {self[root].fingerprint}\n".encode())
        return digest.hexdigest()
