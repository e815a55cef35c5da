"""What ONNX's node tests say: passes per node type, and the reasons of the skips.

Run it with ``python -m tests.io.onnx.report`` in the folder of the project.
"""

from __future__ import annotations

from collections import Counter

from tests.io.onnx.node_cases import Case, all_cases
from tests.io.onnx.node_skips import reason


def outcomes() -> dict[str, tuple[Case, str]]:
    """Each case with "pass", "skip: why" or "FAIL: what"."""
    found = {}
    for case in all_cases():
        why = reason(case)
        found[case.name] = case, f"skip: {why}" if why else outcome(case)
    return found


def outcome(case: Case) -> str:
    try:
        case.check()
    except Exception as error:  # of any kind: it is shown
        return f"FAIL: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return "pass"


def report() -> str:
    """The list of passes per node type, of the skips per reason, and of failures if there are any."""
    results = outcomes()
    plain, written_out, skips, failures = Counter(), Counter(), Counter(), []
    for name, (case, result) in results.items():
        if result == "pass":
            (written_out if "_expanded" in name else plain)[case.group] += 1
        elif result.startswith("skip"):
            skips[result.removeprefix("skip: ")] += 1
        else:
            failures.append(f"  {name}: {result}")
    passes = plain.total() + written_out.total()
    groups = sorted(plain | written_out)
    lines = [f"{len(results)} cases: {passes} pass, {skips.total()} skipped, {len(failures)} fail", ""]
    lines += ["Passes per node type (of these, written out in simpler nodes):"]
    lines += [
        f"  {group:28} {plain[group] + written_out[group]:4} ({written_out[group]})" for group in groups
    ]
    lines += ["", "Skips per reason:"]
    lines += [f"  {count:4}  {why}" for why, count in skips.most_common()]
    return "\n".join([*lines, *(["", "Failures:", *failures] if failures else [])])


if __name__ == "__main__":
    print(report())
