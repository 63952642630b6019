"""The page about a lock as Markdown, which is committed beside the stored reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.markdown_text import plain
from seedlock.evaluation.reference.lock_blocks import Lines, Picture, Table
from seedlock.evaluation.reference.lock_words import headline, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seedlock.evaluation.reference.lock_blocks import Block

TITLE = "What changed in this lock"


def page(content: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        content: what `lock_page.content` returned.
    """
    verdict, sentence = headline(content)
    blocks = [f"# {TITLE}", f"**{verdict}**: {plain(sentence)}"]
    for section in sections(content):
        blocks += [f"## {section.title}"] if section.title else []
        blocks += [text for each in section.blocks if (text := _block(each))]
    return "\n\n".join(blocks) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, str):
        return plain(block)
    if isinstance(block, Table):
        return "\n".join(_table(block))
    if isinstance(block, Lines):
        # Indented by four: no line of a program can end it.
        return "\n".join(f"    {line}".rstrip() for each in block.lines for line in _lines(each))
    assert isinstance(block, Picture)
    return ""


def _table(table: Table) -> Iterator[str]:
    yield _row(table.head)
    yield _row(["---"] * len(table.head))
    for row in table.rows:
        yield _row([plain(each) for each in row])


def _row(cells: Sequence[str]) -> str:
    return "".join(f"| {each} " for each in cells) + "|"


def _lines(text: str) -> list[str]:
    return text.splitlines() or [""]
