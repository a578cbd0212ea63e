"""Languages: callers name them by ISO 639 codes of two or three letters, Tesseract by its own names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# ISO 639-1 and the name of Tesseract's model, which is ISO 639-2/T with a suffix where a language has two scripts.
_TWO_LETTERS = {
    "af": "afr", "am": "amh", "ar": "ara", "as": "asm", "az": "aze", "be": "bel", "bg": "bul", "bn": "ben", "bo": "bod",
    "br": "bre", "bs": "bos", "ca": "cat", "co": "cos", "cs": "ces", "cy": "cym", "da": "dan", "de": "deu", "dv": "div",
    "dz": "dzo", "el": "ell", "en": "eng", "eo": "epo", "es": "spa", "et": "est", "eu": "eus", "fa": "fas", "fi": "fin",
    "fo": "fao", "fr": "fra", "fy": "fry", "ga": "gle", "gd": "gla", "gl": "glg", "gu": "guj", "he": "heb", "hi": "hin",
    "hr": "hrv", "ht": "hat", "hu": "hun", "hy": "hye", "id": "ind", "is": "isl", "it": "ita", "iu": "iku", "ja": "jpn",
    "jv": "jav", "ka": "kat", "kk": "kaz", "km": "khm", "kn": "kan", "ko": "kor", "ku": "kmr", "ky": "kir", "la": "lat",
    "lb": "ltz", "lo": "lao", "lt": "lit", "lv": "lav", "mi": "mri", "mk": "mkd", "ml": "mal", "mn": "mon", "mr": "mar",
    "ms": "msa", "mt": "mlt", "my": "mya", "ne": "nep", "nl": "nld", "no": "nor", "oc": "oci", "or": "ori", "pa": "pan",
    "pl": "pol", "ps": "pus", "pt": "por", "qu": "que", "ro": "ron", "ru": "rus", "sa": "san", "sd": "snd", "si": "sin",
    "sk": "slk", "sl": "slv", "sq": "sqi", "sr": "srp", "su": "sun", "sv": "swe", "sw": "swa", "ta": "tam", "te": "tel",
    "tg": "tgk", "th": "tha", "ti": "tir", "to": "ton", "tr": "tur", "tt": "tat", "ug": "uig", "uk": "ukr", "ur": "urd",
    "uz": "uzb", "vi": "vie", "yi": "yid", "yo": "yor", "zh": "chi_sim",
}  # fmt: skip
_SCRIPTS = {
    "amh tir": "ETHIOPIC", "ara fas urd pus snd uig": "ARABIC", "hin mar nep san": "DEVANAGARI", "ben asm": "BENGALI",
    "bel bul kaz kir mkd mon rus srp tgk tat ukr aze_cyrl uzb_cyrl": "CYRILLIC", "bod dzo": "TIBETAN",
    "chi_sim chi_tra jpn": "CJK",
    "div": "THAANA", "ell grc": "GREEK", "guj": "GUJARATI", "heb yid": "HEBREW", "hye": "ARMENIAN", "kan": "KANNADA",
    "kat": "GEORGIAN", "khm": "KHMER", "kor": "HANGUL", "lao": "LAO", "mal": "MALAYALAM", "mya": "MYANMAR",
    "ori": "ORIYA", "pan": "GURMUKHI", "sin": "SINHALA", "syr": "SYRIAC", "tam": "TAMIL", "tel": "TELUGU",
    "tha": "THAI", "iku": "CANADIAN", "chr": "CHEROKEE",
}  # fmt: skip
_KANA = ("HIRAGANA", "KATAKANA", "BOPOMOFO")
_SCRIPT_OF = {name: script for names, script in _SCRIPTS.items() for name in names.split()}
_OTHER_THREE_LETTERS = {"zho": "chi_sim", "chi": "chi_sim", "ger": "deu", "fre": "fra", "nob": "nor", "nno": "nor"}
_ISO = {three: two for two, three in _TWO_LETTERS.items()}
_NAME = re.compile(r"(script/)?[A-Za-z]{2,20}(_[A-Za-z]{2,10}){0,2}")


def tesseract_name(language: str) -> str:
    """Return Tesseract's name of a language; its own names, like "script/Kannada", stay. "" = cannot be one."""
    if not _NAME.fullmatch(language):
        return ""
    return _TWO_LETTERS.get(language) or _OTHER_THREE_LETTERS.get(language) or language


def iso_code(name: str) -> str:
    """Return the ISO 639 code of a model of Tesseract, of two letters where there is one; its name if there is none."""
    return _ISO.get(name, name)


def script_of_language(language: str) -> str:
    """Return the script of a language as script_of_letter calls it; that of unknown ones is "LATIN"."""
    name = tesseract_name(language)
    return script_by_name(name.removeprefix("script/")) if name.startswith("script/") else _SCRIPT_OF.get(name, "LATIN")


def script_by_name(name: str) -> str:
    """Return a script by its name for people, for example "Kannada", as script_of_letter calls it."""
    return {"Han": "CJK", "Japanese": "CJK", "Korean": "HANGUL"}.get(name, name.upper())


def script_of_letter(letter: str) -> str:
    """Return the script of a letter: the first word of its name in Unicode; of kana, that of Japanese."""
    script = unicodedata.name(letter, "UNKNOWN").split()[0]
    return "CJK" if script in _KANA else script


def debian_package(name: str) -> str:
    """Return the Debian package of a model of Tesseract. Those of scripts have names that cannot be derived."""
    if name.startswith("script/"):
        return "tesseract-ocr-all"
    return f"tesseract-ocr-{name.lower().replace('_', '-')}"


def join(words: Iterable[str], last: str = "and") -> str:
    """Return “a, b and c”."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final
