#!/usr/bin/env python3
"""Plants each fault that check_docs.py knows in a small tree, and sees it reported, and nothing else."""
import tempfile
import unittest
from pathlib import Path

from check_docs import check

CLEAN = {
    "README.md": "# Tram\n\nSee [how](docs/architecture.md#the-layers), [us](#tram), [web](https://example.org/x),\n"
                 "[mail](mailto:a@b.c) and `[no](link)`.\n\n```\n[no](link)\n```\n\n[ref]: docs/errors.md\n\n"
                 "| folder | what |\n|---|---|\n| `tram/` | code |\n| [`docs/`](docs) | words |\n",
    "docs/architecture.md": "# Architecture\n\n## The `layers`!\n\n| `tram/base/` | leaves |\n| `tram/net/` | bytes |\n",
    "docs/errors.md": "| code | sentence |\n|---|---|\n| `bad_subject` | no spaces, no \\* |\n| `too_large` | it is too large | 413 |\n",
    "tram/base/README.md": "# base\n",
    "tram/base/error.h": '// X(not_this, "in a comment")\n#define TRAM_ERRORS(X) \\\n  X(bad_subject, "no spaces, " \\\n     "no *") \\\n'
                         '  X(too_large, "it is too large")\n',
    "tram/net/README.md": "# net\n\nUp to [base](../base/README.md).\n",
    "node_modules/x/README.md": "[broken](nowhere.md)\n",
}


class CheckDocs(unittest.TestCase):
    def errors_with(self, changes=None, program=None):
        files = {**CLEAN, **(changes or {})}
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for path, text in files.items():
                if text is not None:
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_text(text)
            if program:
                (root / "build/release").mkdir(parents=True)
                (root / "build/release/tram").write_text(program)
                (root / "build/release/tram").chmod(0o755)
            return list(check(root))

    def only_error_with(self, *args, **kwargs):
        errors = self.errors_with(*args, **kwargs)
        self.assertEqual(len(errors), 1, errors)
        return errors[0]

    def test_a_clean_tree_has_no_errors(self):
        self.assertEqual(self.errors_with(), [])

    def test_a_link_to_a_missing_file_is_named_with_its_line(self):
        for link in ["[x](gone.md)", "[x](../gone.md 'y')".replace("'", '"'), "[ref]: gone.md", "[![a](gone.png)](errors.md)"]:
            with self.subTest(link):
                error = self.only_error_with({"docs/page.md": f"# Page\n\n{link}\n"})
                self.assertIn("docs/page.md:3: the link to ", error)
                self.assertIn("leads nowhere", error)

    def test_a_link_to_a_missing_heading_is_refused(self):
        error = self.only_error_with({"docs/page.md": "[x](architecture.md#the-doors)\n"})
        self.assertIn("architecture.md has no heading #the-doors", error)

    def test_a_folder_that_is_listed_must_exist(self):
        error = self.only_error_with({"README.md": "| `bench/` | numbers |\n"})
        self.assertIn("README.md:1: it lists bench/, and there is no such folder", error)

    def test_a_layer_that_exists_must_be_listed(self):
        error = self.only_error_with({"docs/architecture.md": "## The layers\n| `tram/base/` | leaves |\n"})
        self.assertIn("docs/architecture.md: tram/net/ is not in its list of folders", error)

    def test_a_drawing_of_the_tree_is_a_list_too(self):
        drawing = "## The layers\n```\ntram/    code\n  base/  leaves\n  net/   bytes\ndocs/    words\n  gone/\n```\n"
        error = self.only_error_with({"docs/architecture.md": drawing})
        self.assertIn("docs/architecture.md:7: it lists docs/gone/", error)

    def test_each_layer_says_what_it_is(self):
        self.assertIn("tram/net/: there is no README.md",
                      self.only_error_with({"tram/net/README.md": None, "tram/net/loop.h": ""}))

    def test_every_error_is_in_the_document(self):
        rows = CLEAN["docs/errors.md"].splitlines(keepends=True)
        self.assertIn("no row for | `too_large` | it is too large |",
                      self.only_error_with({"docs/errors.md": "".join(rows[:-1])}))
        self.assertIn("docs/errors.md:4: the sentence of too_large is now: it is too large",
                      self.only_error_with({"docs/errors.md": "".join(rows[:-1]) + "| `too_large` | it is big |\n"}))
        self.assertIn("docs/errors.md:5: old_code is not a code",
                      self.only_error_with({"docs/errors.md": "".join(rows) + "| `old_code` | gone |\n"}))
        self.assertIn("docs/errors.md: there is none",
                      "\n".join(self.errors_with({"docs/errors.md": None})))

    def test_a_list_of_errors_that_cannot_be_read_is_an_error(self):
        self.assertIn("cannot be checked", self.only_error_with({"tram/base/error.h": "enum class Errc {};\n"}))

    def test_options_are_what_the_program_prints(self):
        program = '#!/bin/sh\n[ "$*" = "options --markdown" ] && echo "# Options"\n'
        self.assertIn("it is not what the program says", self.only_error_with(program=program))
        self.assertIn("not what", self.only_error_with({"docs/options.md": "# Old\n"}, program))
        self.assertEqual(self.errors_with({"docs/options.md": "# Options\n"}, program), [])
        self.assertIn("ended with status 3: no", self.only_error_with(program="#!/bin/sh\necho no >&2; exit 3\n"))


if __name__ == "__main__":
    unittest.main()
