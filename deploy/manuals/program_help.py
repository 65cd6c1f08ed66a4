"""What a program's --help says, as values: its options and commands.

The one source of what man pages and completions know. Reads CLI11's layout (an entry begins two
columns in, its text at column 30), and the layout of "seatlockd store --help", which is our
own.
"""

import dataclasses
import pathlib
import re
import subprocess

TEXT_COLUMN = 30
# Words of a command, such as "bench lock".
DEPTH_MAX = 2
# "NAME TEXT:{table,json}=table (Env:SEATCTL_OUTPUT)" and "NAME TEXT REQUIRED"
ENV = re.compile(r"\s*\(Env:(\w+)\)")
OUR_ENV = re.compile(r"\s*\(([A-Z][A-Z0-9_]+)\)$")
OUR_DEFAULT = re.compile(r"\s*\[([^\]]*)\]$")


@dataclasses.dataclass
class Option:
    names: list[str]  # "-o", "--output"
    metavar: str = ""  # "" for a switch
    values: list[str] = dataclasses.field(default_factory=list)  # if it is one of these
    default: str = ""
    variable: str = ""
    text: str = ""


@dataclasses.dataclass
class Command:
    name: str = ""
    text: str = ""
    arguments: list[str] = dataclasses.field(default_factory=list)  # "SHOWTIME", "[SEAT...]"
    argument_texts: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    options: list[Option] = dataclasses.field(default_factory=list)
    commands: list["Command"] = dataclasses.field(default_factory=list)


def run_help(binary: pathlib.Path, *words: str) -> str:
    done = subprocess.run([binary, *words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def entries(lines: list[str]) -> list[tuple[str, str]]:
    """Heads and texts of a section's entries."""
    found = []
    for i, line in enumerate(lines):
        if line.startswith(" " * TEXT_COLUMN):
            head, text = found[-1]
            found[-1] = (head, f"{text} {line.strip()}".strip())
            continue
        follows = i + 1 < len(lines) and lines[i + 1].startswith(" " * TEXT_COLUMN)
        if follows and "  " not in line[2:]:
            found.append((line[2:].strip(), ""))  # too long to have its text beside it
        else:
            found.append((line[2:TEXT_COLUMN].strip(), line[TEXT_COLUMN:].strip()))
    return found


def sections(text: str) -> dict[str, list[str]]:
    """The indented lines below each heading of --help, such as "Options"."""
    found: dict[str, list[str]] = {}
    heading = None
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][A-Za-z ]*:", line):
            heading = found.setdefault(line[:-1], [])
        elif not line.startswith("  "):
            heading = None
        elif heading is not None:
            heading.append(line)
    return found


def read_option(head: str, text: str) -> Option:
    env = ENV.search(head)
    variable = env[1] if env else ""
    head = re.sub(r" (?:Excludes|Needs): .*", "", ENV.sub("", head)).replace(" REQUIRED", "")
    names, _, metavar = head.partition(" ")
    default = ""
    values: list[str] = []
    if braced := re.match(r"\w+:\{([^}]*)\}(?:=(.*))?$", metavar):
        values, default = braced[1].split(","), braced[2] or ""
        metavar = "|".join(values)
    elif given := re.search(r"=(?![A-Z]+\b)(.*)$", metavar):  # and not KIND=SHARE,...
        metavar, default = metavar[: given.start()], given[1]
    if limits := re.search(r":\w+ in \[(\S+) - (\S+)\]$", metavar):
        metavar = metavar[: limits.start()]
        text += f", {limits[1]} to {limits[2]}"
    if not variable and (ours := OUR_ENV.search(text)):
        variable, text = ours[1], OUR_ENV.sub("", text)
    if not default and (ours := OUR_DEFAULT.search(text)):
        default, text = ours[1], OUR_DEFAULT.sub("", text)
    if not values and "|" in metavar:
        values = metavar.split("|")
    return Option(names.split(","), metavar, values, default, variable, text)


def read_command(binary: pathlib.Path, *words: str) -> Command:
    """A CLI11 program or subcommand, with its own subcommands."""
    text = run_help(binary, *words)
    parts = sections(text)
    command = Command(name=" ".join(words), text=text.splitlines()[0])
    if usage := re.search(r"^Usage: (.*)$", text, re.MULTILINE):
        rest = usage[1].split()[1 + len(words) :]
        command.arguments = [word for word in rest if word not in ("[OPTIONS]", "[SUBCOMMAND]")]
    for head, about in entries(parts.get("Positionals", [])):
        command.argument_texts.append((head.split()[0], about))
    for head, about in entries(parts.get("Options", [])):
        command.options.append(read_option(head, about))
    for head, _ in entries(parts.get("Subcommands", [])) if len(words) < DEPTH_MAX else []:
        command.commands.append(read_command(binary, *words, head))
    return command


def read_store(binary: pathlib.Path) -> Command:
    """`seatlockd store`: commands two columns in, their options six, the common ones last."""
    store = Command(name="store", text="Looks after a store.")
    at: Command | Option = store
    for line in run_help(binary, "store").splitlines():
        head = re.match(r"( {2}| {6})(?=\S)(.{2,20}?)(?:\s{2,}(\S.*))?$", line)
        if not head:
            if line.strip() and line.startswith("   "):
                at.text += " " + line.strip()
            continue
        indent, entry, text = len(head[1]), head[2], head[3] or ""
        if not entry.startswith("-"):
            name, *arguments = entry.split()
            at = Command(name=f"store {name}", text=text, arguments=arguments)
            store.commands.append(at)
        else:
            *names, metavar = re.split(r",? ", entry) if " " in entry else [entry, ""]
            if metavar.startswith("-"):
                names, metavar = [*names, metavar], ""
            at = Option(names, metavar, text=text)
            (store if indent == 2 else store.commands[-1]).options.append(at)
    for option in [*store.options, *(o for c in store.commands for o in c.options)]:
        if " or json" in option.text:
            option.values, option.metavar = ["table", "json"], "table|json"
    return store


def read_program(binary: pathlib.Path) -> Command:
    program = read_command(binary)
    if binary.name == "seatlockd":
        program.commands.append(read_store(binary))
    return program
