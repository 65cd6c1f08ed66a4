"""The fenced blocks of a Markdown page, with the words of their opening line.

    ```sh test=DocsTest.test_first_minute
    ```sh not-run="needs a machine of its own"
"""

import dataclasses
import re

# The languages of blocks that people copy into a terminal. In `console` commands stand after `$ `,
# and the lines between them are what the commands print.
SHELL = {"sh", "bash", "zsh", "shell", "console"}

FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *(.*)$")
WORD = re.compile(r'([a-z-]+)=(?:"([^"]*)"|(\S+))')


@dataclasses.dataclass(frozen=True)
class Block:
    page: str
    line: int  # of the opening fence, from 1
    language: str
    words: dict
    text: str

    @property
    def is_shell(self):
        return self.language in SHELL


def blocks_in(page, text):
    """Every fenced block of a page, in order. One that never ends goes to the end of the page."""
    found, opened, body = [], None, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None:
            if fence:
                opened, body = (number, *fence.groups()), []
        elif fence and fence[2].startswith(opened[2]) and not fence[3]:
            found.append(block(page, opened, body))
            opened = None
        else:
            body.append(line.removeprefix(opened[1]))
    if opened is not None:
        found.append(block(page, opened, body))
    return found


def block(page, opened, body):
    number, _, _, info = opened
    words = {name: quoted or plain for name, quoted, plain in WORD.findall(info)}
    language = info.split(maxsplit=1)[0] if info else ""
    return Block(page, number, language, words, "".join(line + "\n" for line in body))
