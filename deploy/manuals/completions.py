"""Completion for bash and zsh, made of what --help says."""

from program_help import Command, Option

# What a metavar stands for, if the shell can help with it.
FILES = {"FILE", "PATH", "SRC", "DEST", "LAYOUT"}
FOLDERS = {"DIR", "FOLDER"}
STORES = ["memory:", "sqlite:", "redis://"]


def addressed(option: Option) -> bool:
    return "HOST:PORT" in option.metavar and bool(option.default)


def takes_files(command: Command) -> bool:
    return any(argument.strip("[].") in FILES for argument in command.arguments)


def names_of(options: list[Option]) -> list[str]:
    return [name for option in options for name in option.names]


def bash_value(option: Option) -> str:
    """The command that completes the option's value; ":" if the shell cannot know it."""
    if option.values:
        return f"_seatlock_words '{' '.join(option.values)}'"
    if option.metavar == "STORE":
        return "_seatlock_stores"
    if option.metavar in FILES:
        return "_filedir"
    if option.metavar in FOLDERS:
        return "_filedir -d"
    return f"_seatlock_words {option.default}" if addressed(option) else ":"


BASH_HELPERS = """\
declare -F _seatlock_words >/dev/null || _seatlock_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
  __ltrim_colon_completions "$cur"
}
declare -F _seatlock_stores >/dev/null || _seatlock_stores() {
  compopt -o nospace
  if [[ $cur == sqlite:* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -P sqlite: -- "${cur#sqlite:}")
    __ltrim_colon_completions "$cur"
  else
    _seatlock_words 'STORES'
  fi
}
""".replace(
    "STORES", " ".join(STORES)
)


def flat(commands: list[Command]) -> list[Command]:
    return [one for command in commands for one in [command, *flat(command.commands)]]


def bash_words(command: Command, inherited: list[str]) -> str:
    words = [inner.name.split()[-1] for inner in command.commands]
    return " ".join(dict.fromkeys(words + names_of(command.options) + inherited))


def bash_values(options: list[Option], prefix: str) -> list[str]:
    """The cases of a command's options that take a value, by what completes it."""
    cases: dict[str, list[str]] = {}
    for option in options:
        if option.metavar:
            patterns = [f"{prefix}:{name}" for name in option.names]
            cases.setdefault(bash_value(option), []).extend(patterns)
    return [f"    {'|'.join(patterns)}) {action}; return ;;" for action, patterns in cases.items()]


def bash_command_loop(every: list[Command]) -> list[str]:
    names = "|".join(f"'{command.name}'" for command in every if command.name)
    if not names:
        return []
    return [
        "  local word",
        '  for word in "${words[@]:1:cword-1}"; do',
        "    case ${command:+$command }$word in",
        f"      {names}) command+=${{command:+ }}$word ;;",
        "    esac",
        "  done",
    ]


def bash(program: str, help_: Command) -> str:
    function = "_" + program.replace("-", "_")
    everywhere = help_.options if program == "seatctl" else []
    every = [help_, *flat(help_.commands)]
    lines = [
        "# shellcheck shell=bash disable=SC2034",
        f"# Completion of {program}, made of its --help.",
    ]
    lines += [BASH_HELPERS + f"{function}() {{", "  local cur prev words cword split command=''"]
    lines += ["  _init_completion -s -n : || return", *bash_command_loop(every)]
    lines += ["  case $command:$prev in"]
    for command in every:
        options = command.options + parents_of(command, every)
        lines += bash_values(options, f"'{command.name}'")
    if help_.commands:
        lines += bash_values(everywhere, "*")
    lines += ["  esac", "  $split && return", "  case $command in"]
    for command in every:
        inherited = names_of(everywhere) + names_of(parents_of(command, every))
        lines += [f"    '{command.name}')"]
        if takes_files(command):
            lines += ["      [[ $cur == -* ]] || { _filedir; return; }"]
        lines += [f"      _seatlock_words '{bash_words(command, inherited)}'", "      ;;"]
    lines += ["  esac", "} &&", f"  complete -F {function} {program}", ""]
    return "\n".join(lines)


def parents_of(command: Command, every: list[Command]) -> list[Option]:
    """Options of the group that `command` is in, such as those of "store" for "store verify"."""
    group = command.name.rpartition(" ")[0]
    return [o for one in every if group and one.name == group for o in one.options]


def quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def zsh_value(option: Option) -> str:
    name = (option.metavar or "value").replace(":", "\\:")
    if option.values:
        return f":{name}:({' '.join(option.values)})"
    if option.metavar == "STORE":
        return f":{name}:_seatlock_stores"
    if option.metavar in FILES:
        return f":{name}:_files"
    if option.metavar in FOLDERS:
        return f":{name}:_files -/"
    if addressed(option):
        return f":{name}:({option.default.replace(':', chr(92) + ':')})"
    return f":{name}:"


def zsh_option(option: Option) -> list[str]:
    text = option.text.split(". ")[0].replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    lines = []
    others = " ".join(option.names)
    for name in option.names:
        takes = "=" if option.metavar and name.startswith("--") else ""
        value = zsh_value(option) if option.metavar else ""
        lines.append(f"    '({others}){name}{takes}[{quoted(text)}]{quoted(value)}'")
    return lines


def zsh_command(function: str, command: Command, inherited: list[Option]) -> list[str]:
    name = f"{function}{''.join('_' + word for word in command.name.split())}"
    options = {option.names[-1]: option for option in [*command.options, *inherited]}
    lines = [f"{name}() {{", "  local -a commands options", "  local state line", "  options=("]
    for option in options.values():
        lines += zsh_option(option)
    lines += ["  )"]
    if not command.commands:
        rest = "_files" if takes_files(command) else ""
        lines += ["  _arguments -S $options '*:argument:" + rest + "'", "}"]
        return lines
    lines += ["  commands=("]
    for inner in command.commands:
        text = quoted(inner.text.split(". ")[0].replace(":", "\\:"))
        lines += [f"    '{inner.name.split()[-1]}:{text}'"]
    lines += ["  )", "  _arguments -C -S $options '1: :->command' '*:: :->rest' && return 0"]
    lines += ["  case $state in", "    command) _describe -t commands command commands ;;"]
    lines += ["    rest)", "      case $line[1] in"]
    for inner in command.commands:
        inner_name = f"{function}{''.join('_' + word for word in inner.name.split())}"
        lines += [f"        {inner.name.split()[-1]}) {inner_name} ;;"]
    lines += ["      esac", "      ;;", "  esac", "}"]
    for inner in command.commands:
        # Those of "store" are of its commands; those of seatctl of all commands.
        shared = inherited + [o for o in command.options if command.name or function == "_seatctl"]
        lines += zsh_command(function, inner, shared)
    return lines


def zsh(program: str, help_: Command) -> str:
    function = "_" + program.replace("-", "_")
    lines = [f"#compdef {program}", f"# Made of {program} --help when the package is built.", ""]
    if any(
        option.metavar == "STORE" for c in [help_, *flat(help_.commands)] for option in c.options
    ):
        lines += ["_seatlock_stores() {", "  if compset -P sqlite:; then", "    _files", "  else"]
        lines += [f"    compadd -S '' -- {' '.join(STORES)}", "  fi", "}"]
    lines += zsh_command(function, help_, [])
    lines += [f'{function} "$@"', ""]
    return "\n".join(lines)
