#!/usr/bin/env bash
# Compares every scorer with the implementation that it follows, on a fixed subset of the samples, and has other tools and another
# runtime read what this project makes. Usage: check.sh FOLDER, where FOLDER keeps the Python packages between runs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?usage: check.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$here/../.."

# The virtual environment is made anew when what it should hold has changed.
stamp=$folder/installed
if ! cmp --silent "$here/requirements.txt" "$stamp"; then
    rm -rf "$folder/venv" "$stamp"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    "$folder/venv/bin/pip" install --quiet --no-deps bfcl-eval==2026.3.23 'transformers==4.57.6'
    cp "$here/requirements.txt" "$stamp"
fi
python=$folder/venv/bin/python

graders=(--example grade-text --example grade-inspect --example grade-judge --example grade-maths --example grade-qa
    --example grade-structure --example grade-calls --example grade-ifeval --example verdicts --example convert)
cargo build --quiet --locked "${graders[@]}" -p rules-text -p rules-inspect -p rules-judge -p rules-maths -p rules-qa \
    -p rules-structure -p rules-calls -p rules-ifeval -p bench-grade -p bench-samples
cargo build --quiet --locked
built=$(cargo metadata --no-deps --format-version 1 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
bench=$built/debug/bench
built=$built/debug/examples

# compare NAME COMMAND...: a comparison by its name, and how long it took.
compare() {
    local name=$1 began=$SECONDS
    shift
    printf '\n-- %s\n' "$name"
    "$@"
    printf '   %s: %d s\n' "$name" $((SECONDS - began))
}

compare "Python's text" "$python" "$here/python_text.py" --check
compare lm-eval "$python" "$here/lm_eval.py" --quick --grade "$built/grade-text"
compare "lm-eval's prompts" "$python" "$here/lm_eval_prompts.py" "$bench"
compare "inspect and others" "$python" "$here/inspect_scorers.py" --quick --bin "$built"
compare IFEval "$python" "$here/ifeval.py" "$built/grade-ifeval" --quick
compare BFCL "$python" "$here/bfcl.py" --quick --grader "$built/grade-calls"
compare HumanEval "$python" "$here/human_eval.py" --quick
compare "another runtime" "$python" "$here/other_runtime.py" "$built/verdicts" --quick

compare "logs" "$python" "$here/logs.py" same "$built/convert" host/samples/tests/fixtures
