#!/usr/bin/env bash
# Parcel 2.16.4: a function that takes variables out of the environment, `const { ONE, OTHER } = process.env`, which is plain
# JavaScript. Parcel puts their values in place, and leaves a `const` without a value behind; its own minifier then refuses
# what Parcel has made, and points at the line of the source as if it were wrong. `process.env.ONE || process.env.OTHER` builds.
# Seen: "@parcel/optimizer-swc: 'const' declarations must be initialized".
# Needs node, npm and npm's registry. Fails if the first builds, or the second doesn't.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts parcel@2.16.4
echo '<!doctype html><script type="module" src="main.js"></script>' > index.html
build() {
  CI=1 npx parcel build index.html --no-cache 2>&1 || true
}

cat > main.js <<'SCRIPT'
function first() {
  const { ONE_NAME, OTHER_NAME } = process.env;
  return ONE_NAME || OTHER_NAME || 'none';
}
document.title = first();
SCRIPT
apart=$(build)

cat > main.js <<'SCRIPT'
function first() {
  return process.env.ONE_NAME || process.env.OTHER_NAME || 'none';
}
document.title = first();
SCRIPT
whole=$(build)

echo "parcel $(npx parcel --version): $(grep -m 1 '@parcel/' <<< "$apart"); written whole: $(grep -m 1 -o 'Built' <<< "$whole")"
grep -q "'const' declarations must be initialized" <<< "$apart"
grep -q "Built" <<< "$whole"
