#!/usr/bin/env python3
"""Runs the commands of the tutorials in docs/scorers, each page in an empty folder, and fails with the first that fails.

    python3 tests/tools/tutorials.py BENCH [LANGUAGE..]

With `rust`, the templates of a driver and a workload are built and checked as well.

BENCH is the program. What a page needs besides has to be installed: the page says what.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "scorers"


def main():
    bench = Path(sys.argv[1]).resolve()
    languages = sys.argv[2:] or sorted(page.stem for page in PAGES.glob("*.md"))
    for language in languages:
        text = (PAGES / f"{language}.md").read_text(encoding="utf-8")
        commands = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        assert "plugin check" in commands, f"{language}: the page checks nothing"
        with tempfile.TemporaryDirectory() as folder:
            path = os.pathsep.join([str(bench.parent), os.environ["PATH"]])
            environment = {**os.environ, "PATH": path, "BENCH_HOME": f"{folder}/home"}
            print(f"== {language}", flush=True)
            subprocess.run(["bash", "-euxc", commands], cwd=folder, env=environment, check=True)
            if language == "rust":
                for kind in ["driver", "workload"]:
                    print(f"== the template of a {kind}", flush=True)
                    commands = f"bench plugin new {kind} my-{kind}\ncd my-{kind}\nbench plugin build\nbench plugin check"
                    subprocess.run(["bash", "-euxc", commands], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    main()
