"""The docs site: every page and every call is in it, and what is wrong with a page fails its build.

Took 33 s of CPU time; 3 minutes on 2 cores with seven other builds under way."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.deploy.programs import ROOT

SITE = ROOT / "build/docs"
# What makes a browser ask another host, in pages, styles and scripts.
LOADS = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?\s(?:src|href)=["']?(?:https?:)?//"""
    r"""|url\(["']?(?:https?:)?//|@import\s+["'](?:https?:)?//|sendBeacon\("""
    r"""|(?:fetch|import|importScripts|WebSocket|EventSource)\(["'`](?:https?|wss?)://"""
    r"""|\bfrom\s*["']https?://|\.src\s*=\s*["'`]https?://""")


def text_of(path):
    return (SITE / path).read_text(encoding="utf-8")


def words_of(page):
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def setUpModule():
    """Before all, because it also installs what a site is built with."""
    shutil.rmtree(SITE, ignore_errors=True)
    subprocess.run(["./dev", "docs", "--build"], cwd=ROOT, check=True)


class DocsSiteTest(unittest.TestCase):
    def test_every_page_of_docs_is_there(self):
        listed = subprocess.run(["git", "ls-files", "docs/*.md"], cwd=ROOT, check=True, text=True,
                                capture_output=True).stdout.split()
        self.assertIn("docs/operating.md", listed)
        first = text_of("index.html")
        for page in listed:
            with self.subTest(page=page):
                address = page.replace(".md", ".html")
                self.assertTrue((SITE / address).is_file())
                if "/adr/0" not in page:
                    self.assertIn(f'href="/{address}"', first, "it is not in the sidebar")

    def test_every_call_message_field_and_value_of_the_protos_is_on_the_api_page(self):
        image = subprocess.run(
            ["node_modules/.bin/buf", "build", "-o", "-#format=json", "--exclude-source-info"],
            cwd=ROOT, check=True, capture_output=True, text=True).stdout
        page = text_of("docs/api.html")
        headings = set(re.findall(r'<h[23] id="([^"]*)"', page))
        words = set(re.findall(r"\w+", words_of(page)))
        for file in json.loads(image)["file"]:
            if not file["name"].startswith("seatlock/v1/"):
                continue
            for service in file.get("service", []):
                for item in [service, *service["method"]]:
                    self.assertIn(item["name"].lower(), headings)
            for message in file.get("messageType", []):
                self.assertIn(message["name"].lower(), headings)
                for field in message.get("field", []):
                    self.assertIn(field["name"], words)
            for enum in file.get("enumType", []):
                self.assertIn(enum["name"].lower(), headings)
                for value in enum["value"]:
                    self.assertIn(value["name"], words)
        self.assertIn("A lapsed lock is free for the next taker at once.", words_of(page))

    def test_tests_of_guarantees_lead_to_their_source(self):
        links = re.findall(r'href="/(source/[^"#]*)#(L\d+)"[^>]*><code[^>]*>([^<]*)<',
                           text_of("docs/guarantees.html"))
        self.assertGreater(len(links), 100)
        for path, line, name in links:
            with self.subTest(name=name):
                shown = re.search(rf'<span id="{line}">(.*)</span>', text_of(path))
                self.assertIn(re.split(r"[.#]", html.unescape(name))[0].split("/")[-1][:8],
                              html.unescape(shown[1]) + path)

    def test_nothing_is_loaded_from_elsewhere(self):
        files = [path for path in SITE.rglob("*")
                 if path.suffix in (".html", ".css", ".js") and "source" not in path.parts]
        self.assertGreater(len(files), 50)
        for path in files:
            text = path.read_text(encoding="utf-8")
            # The theme fetches icons of social links, of which the site has none.
            self.assertNotIn('class="VPSocialLink', text, path)
            found = LOADS.search(text.replace("url('https://api.iconify.design/", ""))
            self.assertIsNone(found, f"{path}: {found and found[0]}")

    def test_the_search_for_loads_finds_each_kind(self):
        for text in ('<script type="module" src="https://a.example/x.js">', "url(//a.example/f)",
                     '<link rel="preconnect" href="https://fonts.example">', 'fetch("https://a")',
                     'import x from"https://a.example"', "@import 'https://a.example/x.css'",
                     'navigator.sendBeacon("/x")'):
            self.assertRegex(text, LOADS)


class BrokenSiteTest(unittest.TestCase):
    """A site of a few pages, each time with one mistake."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for part in ("proto", "third_party", "docs/site"):
            shutil.copytree(ROOT / part, self.root / part,
                            ignore=shutil.ignore_patterns("node_modules", ".temp"))
        for part in ("node_modules", "docs/site/node_modules"):
            (self.root / part).symlink_to(ROOT / part)
        for part in ("buf.yaml", "tsconfig.json", "docs/api.md"):
            shutil.copy(ROOT / part, self.root / part)
        text = (self.root / "docs/api.md").read_text(encoding="utf-8")
        text = re.sub(r"\]\(([a-z]|\.\./clients)[^)]*\)", "](../buf.yaml)", text)
        self.write("docs/api.md", text)
        self.write("docs/guarantees.md", "# Guarantees\n\n## Two words, `code`\n\n`Suite.Test`\n")
        for page in re.findall(r"'([\w/-]+\.md)'",
                               (ROOT / "docs/site/.vitepress/pages.ts").read_text("utf-8")):
            if not (self.root / page).exists():
                self.write(page, "# A page\n")
        self.write("a_test.cc", "\n\nTEST(Suite, Test) {}\n")
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def build(self, readme):
        self.write("README.md", f"# First\n\n{readme}\n")
        return subprocess.run(
            ["node", "docs/site/node_modules/vitepress/bin/vitepress.js", "build", "docs/site"],
            cwd=self.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)

    def assert_fails(self, readme, reason):
        built = self.build(readme)
        self.assertNotEqual(built.returncode, 0, built.stdout)
        self.assertRegex(built.stdout, reason)

    def test_without_a_mistake_it_is_built(self):
        built = self.build("[a](docs/guarantees.md#two-words-code) [b](proto) [c](a_test.cc#L3)")
        self.assertEqual(built.returncode, 0, built.stdout)
        page = (self.root / "build/docs/docs/guarantees.html").read_text(encoding="utf-8")
        self.assertIn('href="/source/a_test.cc.html#L3"', page)

    def test_a_link_to_no_file_fails(self):
        self.assert_fails("[a](docs/gone.md)", "README.md: a dead link: docs/gone.md")

    def test_each_link_to_no_heading_and_picture_from_elsewhere_is_named(self):
        self.assert_fails("[a](docs/guarantees.md#two-words) ![b](https://b.example/b.png)",
                          r"index.html: a link to a heading that is not there: .*#two-words\n"
                          "(?s:.*)index.html: loads https://b.example/b.png")

    def test_a_page_that_no_group_has_fails(self):
        self.write("docs/lost.md", "# Lost\n")
        self.assert_fails("", "in no group of docs/site/.vitepress/pages.ts: docs/lost.md")

    def test_a_page_of_a_group_that_is_gone_fails(self):
        (self.root / "docs/tracing.md").unlink()
        self.assert_fails("", "pages.ts: no such page: docs/tracing.md")


if __name__ == "__main__":
    unittest.main()
