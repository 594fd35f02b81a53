"""Texts of a policy that people read: Chinese and English, and the languages of the place beside them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Text = Annotated[str, Field(min_length=1, strict=True)]
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
Language = Annotated[str, Field(pattern=LANGUAGE_PATTERN)]


class Words(BaseModel):
    """A text in Chinese and English, and in further languages by their codes: ``de``, ``ja``, ``zh-Hant``."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra={"propertyNames": {"pattern": LANGUAGE_PATTERN}},
    )
    __pydantic_extra__: dict[Language, Text] = Field(init=False)

    zh: Text
    en: Text

    @property
    def by_language(self) -> dict[str, str]:
        """The texts by language: Chinese, English, then the others in their order."""
        return {"zh": self.zh, "en": self.en, **self.__pydantic_extra__}


def _form_of(value: object) -> str:
    return "words" if isinstance(value, dict | Words) else "text"


#: A text in English, or the same in Chinese and English and further languages.
Said = Annotated[Annotated[Text, Tag("text")] | Annotated[Words, Tag("words")], Discriminator(_form_of)]


def in_language(said: str | Words, lang: Literal["zh", "en"]) -> str:
    """A text in a language; in English where it is in that alone."""
    if isinstance(said, str):
        return said
    return said.zh if lang == "zh" else said.en
