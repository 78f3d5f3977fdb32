"""A result as a short table for a terminal, or for a page in Markdown: the same lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpu_check.targets import verdicts

Found = dict[str, Any]
HEAD = ("", "first token ms", "tokens/s", "of bandwidth", "vision frames/s", "GB", "J/answer")


def text(result: Found) -> str:
    """All of it. Lines without end spaces."""
    facts, parts = result["facts"], result["parts"]
    lines = [*_title(facts), ""]
    for name, part in parts.items():
        found = part.get("found", {})
        why = f": {part['why']}" if part.get("why") else ""
        lines.append(f"{name}: {part['status']}{why}")
        lines += [f"  {line}" for line in LINES.get(name, _other)(found, parts)]
    return "\n".join(lines)


def _title(facts: Found) -> Iterator[str]:
    if facts["rehearsal"]:
        yield "REHEARSAL on the CPU at tiny size: whether the check works, no figure of a GPU"
    else:
        yield (
            f"GPU check {facts['date']}: {facts['device']} (sm_{facts['sm']}), driver "
            f"{facts.get('driver') or '?'} (CUDA {facts['driver_cuda']})"
        )
    versions = facts["packages"]
    shown = ("onnxruntime-gpu", "onnxruntime", "torch", "transformers")
    named = [f"{name} {versions[name]}" for name in shown if name in versions]
    yield f"commit {facts['commit'] or 'unknown'}, Python {facts['python']}, {', '.join(named)}"


def _conformance(found: Found, _parts: Found) -> Iterator[str]:
    for engine, said in found.items():
        if "refused" in said:
            yield f"{engine}: refused: {said['refused']}"
            continue
        counts = ", ".join(f"{said.get(key, 0)} {key}" for key in ("passed", "failed", "skipped"))
        yield f"{engine}: {counts}"
        yield from (f"  {line}" for line in said.get("failures", ()))


def _limits(found: Found, _parts: Found) -> Iterator[str]:
    if "copy_bytes_a_s" in found:
        yield f"copy {found['copy_bytes_a_s'] / 1e12:.3g} TB/s"
    if "fp16_flops" in found:
        yield f"fp16 product {found['fp16_flops'] / 1e12:.3g} TFLOP/s"


def _parity(found: Found, _parts: Found) -> Iterator[str]:
    for family, said in found.items():
        if "refused" in said:
            yield f"{family}: refused: {said['refused']}"
            continue
        for variant, one in said.items():
            if "failed" in one:
                yield f"{family}, {variant}: failed: {one['failed']}"
                continue
            yield (
                f"{family}, {variant}: {one['equal_tokens']} of {one['tokens']} tokens, "
                f"max |dlogit| {one['max_abs_dlogit']:.2g} (std {one['logit_std']:.2g})"
                f"{'' if one['holds'] else ' OUTSIDE ITS TOLERANCE'}"
            )


def _speed(found: Found, parts: Found) -> Iterator[str]:
    limits = parts.get("limits", {}).get("found", {})
    tables = {name: said for name, said in found.items() if isinstance(said, dict)}
    measured = [name for name, said in tables.items() if "tokens_a_s" in said]
    rows = [HEAD, *(_row(name, found, limits) for name in measured)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    if measured:
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            yield "  ".join(cells).rstrip()
    yield from _kept(tables)
    for name, lines in found.items():
        if name.startswith("told_"):
            yield from (f"{name[5:]}: {line}" for line in lines if line.startswith("decode steps"))
    yield from _shares(found, limits, measured)
    yield from _agreeing(found, measured)
    for name, said in tables.items():
        if name.startswith("questions_"):
            yield f"{said['n']} questions, {name[10:]}: {said['from_file_s']:.3g} s"
    for engine in measured:
        if not engine.startswith("transformers"):
            yield from (verdict.line() for verdict in verdicts(found, engine))


def _row(name: str, found: Found, limits: Found) -> tuple[str, ...]:
    said = found[name]
    share = "-"
    if "copy_bytes_a_s" in limits and "sizes" in found:
        least_s = found["sizes"]["step_bytes"] / limits["copy_bytes_a_s"]
        share = f"{100 * least_s / said['step_s']:.0f} %"
    return (
        name,
        f"{1e3 * said['first_token_s']:.1f}",
        f"{said['tokens_a_s']:.1f}",
        share,
        f"{said['vision_frames_a_s']:.1f}",
        _number(said["peak_bytes"], 1e9),
        _number(said["joules_an_answer"], 1),
    )


def _kept(tables: Found) -> Iterator[str]:
    """What of an engine's graphs stayed in float32, which a peer has in float16."""
    for name, said in tables.items():
        if name.endswith("_kept"):
            layers = [layer for layer in said["fp32_layers"].split(", ") if layer]
            if layers or said["fp32_scores"]:
                scores = " and the scores of attention" if said["fp32_scores"] else ""
                yield f"{name.split('_')[1]}, kept in float32: {len(layers)} layers{scores}"


def _shares(found: Found, limits: Found, measured: list[str]) -> Iterator[str]:
    """Prefill and vision as a share of the measured matrix rate."""
    if "fp16_flops" not in limits or "sizes" not in found:
        return
    for name in measured:
        shares = (
            f"{stage} {100 * found['sizes'][f'{stage}_flops'] / limits['fp16_flops'] / took:.0f} %"
            for stage in ("prefill", "vision")
            if (took := found[name][f"{stage}_s"]) > 0
        )
        yield f"{name}, of the fp16 product's rate: {', '.join(shares)}"


def _agreeing(found: Found, measured: list[str]) -> Iterator[str]:
    """How many of the first tokens agree: of random weights in float16, so near ties part them."""
    first, *others = [found[name]["token_ids"] for name in measured] or [[]]
    for name, ids in zip(measured[1:], others, strict=True):
        n = next(
            (at for at, (a, b) in enumerate(zip(first, ids, strict=False)) if a != b),
            min(len(first), len(ids)),
        )
        yield f"{measured[0]} and {name}: the first {n} tokens of {len(first)} are equal"


def _other(found: Found, _parts: Found) -> Iterator[str]:
    for name, said in found.items():
        yield f"{name}: {said}"


def _number(value: float | None, unit: float) -> str:
    return "-" if value is None else f"{value / unit:.3g}"


LINES = {
    "conformance": _conformance,
    "limits": _limits,
    "parity": _parity,
    "speed": _speed,
    "speed-trt": _speed,
    "speed-trt-inplace": _speed,
}
