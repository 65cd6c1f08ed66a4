"""Man pages: a template's own words, with the options and commands of --help put in."""

import dataclasses
import re

from program_help import Command, Option


def escape(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(['.])", r"\\&\1", text, flags=re.MULTILINE)


def sentence(text: str) -> str:
    first = text.split(" ")[0]
    if first.rstrip(",;").isalpha():  # a word, and not such as /livez or sqlite:PATH
        text = text[:1].upper() + text[1:]
    return text if text.endswith(".") or not text else text + "."


def option_lines(option: Option) -> list[str]:
    head = ", ".join(f"\\fB{escape(name)}\\fR" for name in option.names)
    if option.metavar:
        head += f" \\fI{escape(option.metavar)}\\fR"
    lines = [".TP", head, escape(sentence(option.text))]
    if option.default:
        lines.append(escape(f"Default: {option.default}."))
    if option.variable:
        lines += [".br", f"Variable: \\fB{option.variable}\\fR"]
    return lines


def is_help(option: Option) -> bool:
    return "--help" in option.names


def command_lines(program: str, command: Command) -> list[str]:
    if command.commands:  # a group, such as "store"
        lines = []
        for inner in command.commands:
            shared = [option for option in command.options if not is_help(option)]
            joined = dataclasses.replace(inner, options=inner.options + shared)
            lines += command_lines(program, joined)
        return lines
    usage = " ".join(escape(word) for word in command.arguments)
    lines = [f".SS {program} {command.name} \\fR[\\fIoptions\\fR] {usage}".rstrip()]
    lines.append(escape(sentence(command.text)))
    for name, text in command.argument_texts:
        lines += [".TP", f"\\fI{escape(name)}\\fR", escape(sentence(text))]
    for option in command.options:
        if not is_help(option):
            lines += option_lines(option)
    return lines


def man_page(template: str, program: str, help_: Command, version: str, date: str) -> str:
    options = [line for option in help_.options for line in option_lines(option)]
    commands = [line for command in help_.commands for line in command_lines(program, command)]
    marks = {
        "@VERSION@": version,
        "@DATE@": date,
        "@OPTIONS@": "\n".join(options),
        "@COMMANDS@": "\n".join(commands),
    }
    for mark, text in marks.items():
        template = template.replace(mark, text)
    return template
