"""`python -m services.contracts write | check | release`: the published contract, from the code."""

from __future__ import annotations

import sys

from services.contracts.publish import FOLDER, ContractBroken, faults, generated, release, write


def main(arguments: list[str]) -> int:
    """Run one of the three; returns 1 where the contract is not in order, with a sentence for each fault."""
    match arguments:
        case ["write"]:
            act, done = write, "written"
        case ["release"]:
            act, done = release, "published for ever"
        case ["check"]:
            sentences = list(faults(FOLDER, generated()))
            print("\n".join(sentences) or "The published contract is what the code says.")
            return 1 if sentences else 0
        case _:
            print("Say `write`, `check` or `release`.", file=sys.stderr)
            return 2
    try:
        paths = act(FOLDER, generated())
    except ContractBroken as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(paths))
    print(f"{len(paths)} files {done}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
