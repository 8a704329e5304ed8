#!/usr/bin/env bash
# Build the package, check what is in it, install it into empty environments and use it there.
#
#   scripts/check_package.sh [--slim] [--keep DIR] [PYTHON...]
#
# PYTHON is an interpreter, python3 unless others are named; one of a version that is not supported must be refused.
# --slim installs what reading pictures needs, without TensorFlow, and leaves reading pages and training out.
# --keep leaves what was checked in DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
slim= keep=
while [ $# -gt 0 ]; do
  case $1 in
    --slim) slim=yes; shift ;;
    --keep) keep=${2:?--keep: expected a folder}; shift 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1

echo "== Building"
python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install --quiet build twine check-wheel-contents
"$scratch/tools/bin/python" -m build --outdir "$scratch/dist" . > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
"$scratch/tools/bin/python" -m build --wheel --outdir "$scratch/direct" . > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
"$scratch/tools/bin/twine" check --strict "$scratch"/dist/*
"$scratch/tools/bin/check-wheel-contents" "$scratch"/dist/*.whl
wheel=$(echo "$scratch"/dist/*.whl)

echo "== Made from the source archive, the wheel is the same"
list() { python3 -c 'import sys, zipfile; print(*sorted(zipfile.ZipFile(sys.argv[1]).namelist()), sep="\n")' "$1"; }
diff <(list "$wheel") <(list "$scratch"/direct/*.whl)
list "$wheel" > "$scratch/inside"
grep -q "emnist_cli/py.typed" "$scratch/inside"
grep -q "share/man/man1/emnist.1" "$scratch/inside"
# Nothing that a run leaves behind, and all that the repository keeps.
tar tzf "$scratch"/dist/*.tar.gz | sed 's,^[^/]*/,,' | sort > "$scratch/packed"
if grep -E '__pycache__|\.pyc$|\.[a-z]+_cache/|\.hypothesis' "$scratch/packed"; then exit 1; fi
if git rev-parse --git-dir > /dev/null 2>&1; then
  git ls-files | grep -v '^\.gitignore$' | while read -r file; do
    [ ! -e "$file" ] || grep -qxF "$file" "$scratch/packed" || { echo "not in the source archive: $file"; exit 1; }
  done
fi

use() { # use PYTHON: install the wheel into an empty environment and try everything once
  local home="$scratch/env" examples="$PWD/examples"
  rm -rf "$home" && "$1" -m venv "$home"
  if [ -n "$slim" ]; then
    "$home/bin/pip" install --quiet typer rich numpy pillow ai-edge-litert
    "$home/bin/pip" install --quiet --no-deps "$wheel"
  else
    "$home/bin/pip" install --quiet "$wheel"
  fi
  mkdir "$home/work"
  ( # elsewhere, so that what is imported is what was installed
    cd "$home/work"
    export PATH="$home/bin:$PATH" EMNIST_DATA="$home/data" XDG_DATA_HOME="$home/own"
    emnist --version
    emnist > /dev/null
    emnist --help > /dev/null
    emnist labels --split balanced --format csv | grep "^46,.*,t,"
    [ "$(emnist predict "$examples/chalk-R.png" --format csv | cut -d, -f3 | tail -1)" = R ]
    { python -m emnist_cli predict nothing.png 2>&1 || true; } | grep "^emnist: "
    if command -v man > /dev/null; then man -M "$home/share/man" emnist | grep "Tell which handwritten"; fi
    [ -z "$slim" ] || exit 0
    emnist read "$examples/pages/note.jpg" | grep .
    mkdir -p mine/R mine/7
    for copy in 1 2 3 4 5 6 7 8; do
      cp "$examples/chalk-R.png" "mine/R/$copy.png"
      cp "$examples/pencil-7.jpg" "mine/7/$copy.jpg"
    done
    emnist train --folder mine --arch mnist --epochs 1 --out model --quiet
    emnist predict --model model "$examples/chalk-R.png"
    emnist doctor > /dev/null
  )
  echo "$("$1" --version) works"
}

refuse() { # refuse PYTHON: pip must say what is needed
  rm -rf "$scratch/env" && "$1" -m venv "$scratch/env"
  if "$scratch/env/bin/pip" install --quiet --no-deps "$wheel" 2> "$scratch/refusal"; then
    echo "$("$1" --version) should be refused"
    return 1
  fi
  grep "requires a different Python" "$scratch/refusal"
}

for python in "$@"; do
  echo "== $("$python" --version)"
  if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
    use "$python"
  else
    refuse "$python"
  fi
done

if [ -n "$keep" ]; then mkdir -p "$keep" && cp "$scratch"/dist/* "$keep"; fi
