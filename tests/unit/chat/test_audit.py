# ruff: noqa: E501
"""Patterns of published tokenizers are let through, those that never end are not."""

from __future__ import annotations

import pytest

from edgeval.chat.audit import repeats_repeats

# As in the tokenizer.json of GPT-2 and SmolLM2, Qwen2, Llama 3, and a right-to-left digit splitter.
PUBLISHED = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+",
    r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)|\s+",
    r"\d{1,3}(?=(?:\d{3})*\b)",
    r" ?[^(\s|[.,!?…。、।])]+",
    r"(?:[\p{Lu}\p{Lt}]*[\p{Ll}]+)(?i:'s|'t)?",
]
ENDLESS = ["(a+)+$", "(a*)*", r"(\w+\s?)+$", "((a+)b)*", "(?:a{1,9})+", "(a|b+){2,}", "([a-z]*)*!"]


@pytest.mark.parametrize("pattern", PUBLISHED)
def test_a_published_pattern_is_let_through(pattern):
    assert not repeats_repeats(pattern)


@pytest.mark.parametrize("pattern", ENDLESS)
def test_repeats_of_repeats_are_found(pattern):
    assert repeats_repeats(pattern)


@pytest.mark.parametrize("pattern", [r"(a\+)+", "([+*])+", r"(\p{L})+", "(a{3})+", "(", ")+", "["])
def test_marks_that_repeat_nothing_are_let_through(pattern):
    assert not repeats_repeats(pattern)
