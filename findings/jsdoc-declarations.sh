#!/usr/bin/env bash
# TypeScript 7.0.2: a union of string literals in a JSDoc `@typedef` that goes on in the next line, behind the usual ` * `. It is
# understood: checking the file finds nothing, and a wrong literal is an error. But the declaration that is written of it
# holds the asterisk, so that whoever installs the package gets a syntax error from a file that compiled. The package's own
# build says nothing, as it doesn't read what it writes. TypeScript 6.0.3 writes the union without it.
# Seen: "export type Format = 'aztec' | 'codabar' | *   'itf' | 'qr_code';" and then "error TS1005: ';' expected."
# Needs node, npm and npm's registry. Fails if 7.0.2 writes a declaration that reads, or 6.0.3 one that doesn't.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true, "type": "module"}' > package.json
npm install --silent --no-audit --no-fund newer@npm:typescript@7.0.2 older@npm:typescript@6.0.3

cat > format.js <<'SCRIPT'
/**
 * @typedef {'aztec' | 'codabar' |
 *   'itf' | 'qr_code'} Format
 */

/**
 * @param {Format} format
 * @returns {string}
 */
export function nameOf(format) {
  return format;
}
SCRIPT
cat > reader.ts <<'SCRIPT'
import { nameOf } from './format.js';
nameOf('itf');
SCRIPT

# Declares format.js with one of them, then reads the declaration with the same.
declare_and_read() {
  local tsc=(node "$1" --module nodenext --target es2022)
  "${tsc[@]}" --allowJs --checkJs --declaration --emitDeclarationOnly --outDir "$2" format.js
  cp reader.ts "$2/"
  echo '{"type": "module"}' > "$2/package.json"
  "${tsc[@]}" --noEmit "$2/reader.ts" 2>&1 || true
}
program() {
  node -p "const at = './node_modules/$1/'; at + Object.values(require(at + 'package.json').bin)[0]"
}
newer=$(declare_and_read "$(program newer)" newer)
older=$(declare_and_read "$(program older)" older)

echo "typescript 7.0.2: $(grep 'type Format' newer/format.d.ts) -> $newer"
echo "typescript 6.0.3: $(grep -A 1 'type Format' older/format.d.ts | tr -d '\n') -> ${older:-nothing}"
grep -q "TS1005" <<< "$newer"
grep -q "| \*" newer/format.d.ts
test -z "$older"
