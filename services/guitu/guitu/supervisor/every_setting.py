"""All settings of all members of the group: listed for people, and checked before anything starts."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsError

from guitu.embedded.trouble import NodeError
from guitu.settings import Settings
from guitu.supervisor.members import MEMBERS

PREFIX = "GUITU_"
# Read by ./guitu itself, by the tests, or told to the services by the supervisor.
NOT_OF_A_SERVICE = {"GUITU_VENV", "GUITU_EVAL_DATA", "GUITU_FAULT_SEED"} | {
    each.url_setting for each in MEMBERS
}


def kinds() -> list[tuple[str, type[BaseSettings]]]:
    """The shared settings, then each service's own; a service without any has none to list."""
    found: list[tuple[str, type[BaseSettings]]] = [("all services", Settings)]
    for each in MEMBERS:
        if importlib.util.find_spec(each.package) and importlib.util.find_spec(f"{each.package}.settings"):
            module = importlib.import_module(f"{each.package}.settings")
            classes = [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type) and issubclass(kind, BaseSettings)
            ]
            found += [(each.name, kind) for kind in classes if kind not in (Settings, BaseSettings)]
    return found


def fields_of(kind: type[BaseSettings]) -> dict[str, FieldInfo]:
    """The settings of one class by the name of their environment variable."""
    prefix = kind.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper(): field for name, field in kind.model_fields.items()}


def check_settings() -> None:
    """Read every setting as the services will. Raises: NodeError naming each wrong one; no value is repeated."""
    wrong: dict[str, str] = {}
    for _, kind in kinds():
        try:
            kind()
        except ValidationError as error:
            wrong |= wrong_in(error)
        except SettingsError as error:
            # Its words quote the field and not the value.
            field = re.search(r'field "(\w+)"', str(error))
            wrong[f"{PREFIX}{field[1] if field else kind.__name__}".upper()] = (
                "is not the JSON that it must be"
            )
    if wrong:
        raise NodeError(in_words(wrong))


def wrong_in(error: ValidationError) -> dict[str, str]:
    """Each wrong setting by its name, and why; its value is not repeated, it may be a secret."""
    return {
        f"{PREFIX}{'.'.join(map(str, each['loc']))}".upper() if each["loc"] else "Settings": each[
            "msg"
        ].removeprefix("Value error, ")
        for each in error.errors()
    }


def in_words(wrong: Mapping[str, str]) -> str:
    """One sentence for all of them, with the mend."""
    said = "; ".join(f"{name}: {why}" for name, why in wrong.items())
    return f"{said}. Mend: correct it; ./guitu settings explains every setting."


def unknown(environment: Mapping[str, str]) -> list[str]:
    """What looks like a setting and is none, each with the one that may be meant: a typing error is silent else."""
    known = NOT_OF_A_SERVICE.union(*(fields_of(kind) for _, kind in kinds()))
    found: list[str] = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "."))
    return found
