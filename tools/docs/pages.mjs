// The documents as pages: Markdown → HTML with a way through all of them, for npm start to serve under /docs/.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { root } from '../places.mjs';
import { Refusal } from '../step.mjs';

const SHEETS = ['web/demo/style.css', 'tools/docs/page.css'];

/** Chapters of documents, file → title in the list of all. @type {Record<string, Record<string, string>>} */
export const CHAPTERS = {
  'Use it': {
    'docs/START.md': 'First picture in an app',
    'docs/RECIPES.md': 'Recipes',
    'docs/THREADS.md': 'Threads and headers',
    'docs/PRESSING.md': 'Pressing',
    'docs/COMMAND.md': 'The command',
    'docs/SERVING.md': 'Serving',
    'wasm/python/README.md': 'Python',
  },
  'Look it up': {
    'README.md': 'wisp',
    'models/FORMAT.md': 'The file format',
    'docs/ACCURACY.md': 'Accuracy',
    'bench/RESULTS.md': 'Speed, side by side',
    'CHANGELOG.md': 'Changes',
  },
  'Work on it': {
    'docs/ARCHITECTURE.md': 'Architecture',
    'CONTRIBUTING.md': 'Contributing',
    'docs/PERFORMANCE.md': 'Performance',
    'models/train/README.md': 'Training',
    'docs/DEPENDENCIES.md': 'Dependencies',
    'docs/REFERENCES.md': 'References',
  },
};

/** What nobody has put into a chapter stands under its own title. */
for (const name of readdirSync(path.join(root, 'docs')).sort()) {
  const file = `docs/${name}`;
  if (!name.endsWith('.md') || Object.values(CHAPTERS).some((chapter) => chapter[file])) continue;
  CHAPTERS['Look it up'][file] = titleOf(readFileSync(path.join(root, file), 'utf8')) ?? name;
}

const documents = Object.values(CHAPTERS).flatMap((chapter) => Object.keys(chapter));

/** @param {string} text Markdown */
function titleOf(text) {
  return /^# (.+)$/m.exec(text)?.[1];
}

/** Address of a document's page in the folder. @param {string} file */
export function pageOf(file) {
  const [folder, base] = [path.posix.dirname(file), path.posix.basename(file, '.md').toLowerCase()];
  return base === 'readme'
    ? `${folder === '.' ? 'index' : path.posix.basename(folder)}.html`
    : `${base}.html`;
}

/** As GitHub makes it. @param {string} heading */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/**
 * Writes all pages; those of an earlier build go.
 * @param {string} folder
 */
export async function writePages(folder) {
  const { Marked } = await import('marked');
  for (const file of documents) rmSync(path.join(folder, pageOf(file)), { force: true });
  mkdirSync(folder, { recursive: true });
  const [style, sheet] = SHEETS.map((name) => readFileSync(path.join(root, name), 'utf8'));
  writeFileSync(path.join(folder, 'page.css'), `${/:root \{.*?^\}/ms.exec(style)?.[0]}\n${sheet}`);
  for (const file of documents) {
    const text = readFileSync(path.join(root, file), 'utf8');
    const marked = new Marked({ renderer: renderer(file, folder) });
    const title = titleOf(text) ?? file;
    writeFileSync(
      path.join(folder, pageOf(file)),
      page(file, title, /** @type {string} */ (marked.parse(text))),
    );
  }
}

/**
 * @param {string} file the document
 * @param {string} folder for what it shows or names
 * @returns {import('marked').RendererObject}
 */
function renderer(file, folder) {
  return {
    heading({ tokens, depth, text }) {
      const plain = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
      return `<h${depth} id="${anchorOf(plain)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      return `<a href="${target(href, file, folder)}">${this.parser.parseInline(tokens)}</a>`;
    },
    image({ href, text }) {
      return `<img src="${target(href, file, folder)}" alt="${escaped(text)}" loading="lazy">`;
    },
    code({ text }) {
      return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
    },
    table(token) {
      const row = (
        /** @type {import('marked').Tokens.TableCell[]} */ cells,
        /** @type {string} */ tag,
      ) =>
        `<tr>${cells
          .map(({ tokens, text, align }) => {
            const place = align && align !== 'left' ? ` class="${align}"` : '';
            const cell = text ? tag : 'td'; // a heading says something
            return `<${cell}${place}>${this.parser.parseInline(tokens)}</${cell}>`;
          })
          .join('')}</tr>`;
      const head = token.header.some(({ text }) => text)
        ? `<thead>${row(token.header, 'th')}</thead>`
        : '';
      const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
      return `<div class="table" tabindex="0"><table>${head}<tbody>${body}</tbody></table></div>\n`;
    },
  };
}

/**
 * Where a link of a document leads from its page: to another page, or to a copy of the file it names.
 * @param {string} href
 * @param {string} file
 * @param {string} folder
 */
function target(href, file, folder) {
  if (/^(https?:|#)/.test(href)) return escaped(href);
  const [name, anchor] = href.split('#');
  const named = path.posix.join(path.posix.dirname(file), name);
  const hash = anchor ? `#${anchor}` : '';
  if (documents.includes(named)) return pageOf(named) + hash;
  if (!existsSync(path.join(root, named)))
    throw new Refusal(`${file} links to ${named}, which is not there.`);
  // as text, whatever it is called, so that browsers show it
  const copy = /\.(png|svg)$/.test(named) ? named : `${named}.txt`;
  mkdirSync(path.dirname(path.join(folder, 'files', copy)), { recursive: true });
  cpSync(path.join(root, named), path.join(folder, 'files', copy));
  return `files/${copy}`;
}

/** @param {string} text */
const escaped = (text) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** @param {string} file @param {string} title @param {string} article */
function page(file, title, article) {
  const name = title.replaceAll('`', '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(name === 'wisp' ? 'wisp' : `${name} · wisp`)}</title>
<link rel="icon" href="../web/demo/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<header><a class="brand" href="../web/demo/">wisp</a><a href="../web/demo/">Demo</a><a href="api/">API</a></header>
<nav aria-label="Documents">
${Object.entries(CHAPTERS).map(chapter(file)).join('\n')}
</nav>
<main id="text">
${article}</main>
</body>
</html>
`;
}

/** @param {string} current */
const chapter =
  (current) =>
  (/** @type {[string, Record<string, string>]} */ [name, all]) => {
    const items = Object.entries(all).map(([file, called]) => {
      const here = file === current ? ' aria-current="page"' : '';
      return `<li><a href="${pageOf(file)}"${here}>${called}</a></li>`;
    });
    return `<h2>${name}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
  };
