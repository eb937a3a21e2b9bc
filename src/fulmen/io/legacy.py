"""The encoding of a text that is no UTF-8, by the letters its words have in each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fulmen.io.alphabets import LANGUAGES, WESTERN, Language

DEFAULT = "cp1252"
WORD = re.compile(r"(?:[^\W\d_]|[^\x00-\x7f\s])+")
NEUTRAL = frozenset("¢¥¤¬¦´¼½¾¹°µ²³±€£§·•–—‘’‚“”„«»‹›…®©™×÷‰ \u3000\u3001\u3002！？：；，（）")
OPENING = frozenset("¿¡")
LINES = 5000  # with signs beyond ASCII, that are looked at
KNOWN = 0.9  # of the letters, in a text of one language with names of others
COMMON = 0.35  # of the signs of a text are common ones, in a language of thousands
MANY = 3  # different letters that no language of Western Europe has together
KANA = re.compile(r"[ぁ-んァ-ヶー]")


@dataclass(frozen=True)
class Reading:
    """Bytes in one encoding.

    Attributes:
        fits: share of the letters beyond ASCII that the language has, in words as it writes them.
        common: share of those that are common.
    """

    encoding: str
    text: str
    fits: float
    common: float = 0.0


def legacy_encoding(sample: bytes) -> tuple[str, str | None]:
    """The encoding of bytes that are no UTF-8, and another one that is as likely; None where it is certain.

    Western European, unless the words are plainly of another language.
    """
    lines = b"\n".join(list(dict.fromkeys(line for line in sample.splitlines() if not line.isascii()))[:LINES])
    others = sorted(_others(lines), key=lambda each: (round(each.fits, 2), each.common), reverse=True)
    best = others[0] if others else None
    text = _decoded(lines, DEFAULT)
    if text is None:
        return (best.encoding, _rival(best, others)) if best and best.fits >= KNOWN else ("latin-1", None)
    words = _words(text)
    western = max(_fits(words, letters, but=but) for letters, but in WESTERN)
    each_word = [max(_fits({word}, letters, but=but) for letters, but in WESTERN) for word in words]
    mixed = sum(each_word) / max(len(each_word), 1)
    if _fits(words, "") == 1:  # units such as m³, and no letters
        return DEFAULT, None
    if best is None or best.fits < KNOWN or western >= best.fits:
        doubtful = best is not None and best.fits >= max(KNOWN, western)
        return DEFAULT, best.encoding if best and doubtful and best.text != text else None
    different = {a for a, b in zip(best.text, text, strict=False) if a != b} if len(best.text) == len(text) else words
    if mixed < best.fits or len(different) >= MANY:
        return best.encoding, _rival(best, others)
    return DEFAULT, best.encoding if best.text != text else None


def _others(lines: bytes) -> Iterable[Reading]:
    for language in LANGUAGES:
        for encoding in language.encodings:
            text = _decoded(lines, encoding)
            if text is not None and not re.search(r"[\x80-\x9f\ue000-\uf8ff]", text):
                reading = _of_thousands(lines, text, encoding, language) if not language.letters else None
                yield reading or _of_letters(text, encoding, language)


def _of_letters(text: str, encoding: str, language: Language) -> Reading:
    words = _words(text)
    common = [sign in language.common for word in words for sign in word if not sign.isascii()]
    return Reading(encoding, text, _fits(words, language.letters, language.latin), sum(common) / max(len(common), 1))


def _of_thousands(lines: bytes, text: str, encoding: str, language: Language) -> Reading:
    """A text in Chinese, Japanese or Korean: by how many of its signs are common ones."""
    signs = [sign for word in _words(text) for sign in word if not sign.isascii() and sign not in NEUTRAL]
    known = frozenset(language.common)
    japanese = encoding in ("cp932", "euc_jp")
    hits = sum(sign in known or (japanese and bool(KANA.match(sign))) for sign in signs)
    share = hits / max(len(signs), 1)
    fits = 1.0 if share >= COMMON and re.search(rb"[\x80-\xff].[\x80-\xff]", lines) else 0.0
    return Reading(encoding, text, fits, share)


def _words(text: str) -> set[str]:
    return {word for word in WORD.findall(text) if not word.isascii()}


def _fits(words: Iterable[str], letters: str, latin: bool = True, but: str = "") -> float:
    """Share of the signs beyond ASCII that are letters of a language, in words as people write them."""
    known = counted = 0
    for word in words:
        small = word.lower()
        possible = latin or (not re.search("[a-z]", small) and (word[1:] == small[1:] or word == word.upper()))
        possible = possible and not (but and re.search(but, small))
        for place, sign in enumerate(word):
            inside = 0 < place < len(word) - 1 and word[place - 1].isalpha() and word[place + 1].isalpha()
            if sign.isascii() or (sign in NEUTRAL and not inside) or (sign in OPENING and place == 0):
                continue
            counted += 1
            known += possible and (sign.lower() in letters or (sign == "İ" and "ı" in letters))
    return known / counted if counted else 1.0


def _rival(best: Reading, others: Iterable[Reading]) -> str | None:
    return next(
        (each.encoding for each in others
         if each.text != best.text and each.fits >= best.fits - 0.02 and each.common >= best.common * 0.9), None,
    )  # fmt: skip


def _decoded(lines: bytes, encoding: str) -> str | None:
    try:
        return lines.decode(encoding)
    except UnicodeDecodeError:
        return None
