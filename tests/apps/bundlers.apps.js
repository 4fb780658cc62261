// Apps made with the bundlers and frameworks of docs/RECIPES.md: served by their own dev server, and built.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { App } from './app.js';
import { ISOLATION, look, openBrowser, serve } from './look.js';
import { takeRecipes } from './recipes.js';

/**
 * @typedef {object} Kind of app
 * @property {string} name
 * @property {string[]} recipe its headings in docs/RECIPES.md
 * @property {string[]} packages the tool first, whose version is told
 * @property {Record<string, string | object>} files what a reader of the recipe has already
 * @property {string} [scaffold] makes those instead
 * @property {string} [dev] starts the dev server
 * @property {boolean} [devIsolated] whether the recipe has headers for it
 * @property {string} [build] unless the recipe's commands do it
 * @property {string[]} [site] folders that make the site
 * @property {string} [start] what serves it instead; the recipe has the headers
 * @property {string} [publicFolder]
 * @property {RegExp} [unwanted] what a build may not say
 */

const MODULE = 'One detector for the app';
const COPY = 'Where the bundler leaves files behind';
const PAGE = '<!doctype html><title>App</title><output></output>';
const INDEX = `${PAGE}<script type="module" src="/src/main.js"></script>`;
const MODULES = { 'package.json': { type: 'module', private: true } };
const CIRCLE = /circular/i;

/** @param {string} version @returns {Kind} */
const vite = (version) => ({
  name: `Vite ${version}`,
  recipe: [MODULE, 'Vite'],
  packages: [`vite@${version}`],
  files: { ...MODULES, 'index.html': INDEX },
  dev: 'vite --port $PORT --strictPort',
  devIsolated: true,
  build: 'vite build',
  site: ['dist'],
});

/** @param {string} name @param {string} version @param {string} [how] @returns {Kind} */
const next = (name, version, how = '') => ({
  name,
  recipe: [MODULE, 'Next'],
  packages: [`next@${version}`, 'react', 'react-dom'],
  files: {
    ...MODULES,
    'app/layout.jsx':
      'export default ({ children }) => <html lang="en"><body>{children}</body></html>;',
  },
  dev: `next dev ${how} --port $PORT`,
  devIsolated: true,
  build: `next build ${how}`,
  start: 'next start --port $PORT',
  unwanted: CIRCLE,
});

/** @param {string} version @returns {Kind} */
const angular = (version) => ({
  name: `Angular ${version}`,
  recipe: ['Angular'],
  scaffold: `npx -y @angular/cli@${version} new app --directory . --defaults --skip-git --skip-install --skip-tests`,
  packages: [`@angular/cli@${version}`],
  files: {},
  dev: 'ng serve --port $PORT',
  build: 'ng build',
  site: ['dist/app/browser'],
});

/** @param {string} version @param {Record<string, string>} files @returns {Kind} */
const nuxt = (version, files) => ({
  name: `Nuxt ${version}`,
  recipe: [MODULE, 'Nuxt'],
  packages: [`nuxt@${version}`],
  files: { ...MODULES, ...files },
  dev: 'nuxt dev --port $PORT',
  devIsolated: true,
  build: 'nuxt build',
  start: 'node .output/server/index.mjs',
});

/** @param {string} name @param {string[]} packages @returns {Kind} */
const svelte = (name, packages) => ({
  name,
  recipe: [MODULE, 'SvelteKit'],
  packages: [...packages, 'svelte'],
  files: {
    ...MODULES,
    'src/app.html':
      '<!doctype html><head>%sveltekit.head%</head><body><div>%sveltekit.body%</div></body>',
    'src/routes/+layout.js': 'export const prerender = true;',
  },
  dev: 'vite dev --port $PORT --strictPort',
  build: 'vite build',
  site: ['build'],
  publicFolder: 'static',
});

/** @type {Kind[]} */
const kinds = [
  ...['8', '7', '6', '5'].map(vite),
  {
    name: 'React 19',
    recipe: [MODULE, 'React'],
    packages: ['react@19', 'react-dom@19', 'vite', '@vitejs/plugin-react'],
    files: {
      ...MODULES,
      'index.html': `${PAGE}<div id="root"></div><script type="module" src="/src/main.jsx"></script>`,
      'src/main.jsx': `
        import { StrictMode } from 'react';
        import { createRoot } from 'react-dom/client';
        import App from './App.jsx';
        createRoot(document.querySelector('#root')).render(<StrictMode><App /></StrictMode>);`,
    },
    dev: 'vite --port $PORT --strictPort',
    build: 'vite build',
    site: ['dist'],
  },
  {
    name: 'Vue 3',
    recipe: [MODULE, 'Vue'],
    packages: ['vue@3', 'vite', '@vitejs/plugin-vue'],
    files: {
      ...MODULES,
      'index.html': `${PAGE}<div id="app"></div><script type="module" src="/src/main.js"></script>`,
      'src/main.js': `
        import { createApp } from 'vue';
        import App from './App.vue';
        createApp(App).mount('#app');`,
    },
    dev: 'vite --port $PORT --strictPort',
    build: 'vite build',
    site: ['dist'],
  },
  {
    name: 'webpack 5',
    recipe: [MODULE, 'webpack'],
    packages: ['webpack@5', 'webpack-cli', 'webpack-dev-server'],
    files: {
      ...MODULES,
      'public/index.html': `${PAGE}<script src="main.js" defer></script>`,
      'webpack.config.js': `export default {
        entry: './src/main.js', mode: 'production', stats: 'normal', devServer: { static: 'public' } };`,
    },
    dev: 'webpack serve --mode development --port $PORT',
    build: 'webpack',
    site: ['dist', 'public'],
    unwanted: CIRCLE,
  },
  next('Next 16', '16'),
  next('Next 16 with webpack', '16', '--webpack'),
  next('Next 15', '15'),
  nuxt('4', {}),
  { ...nuxt('3', { '.nuxtrc': 'srcDir="app/"' }), publicFolder: 'app/public' },
  svelte('SvelteKit 3', [
    '@sveltejs/kit@3',
    '@sveltejs/adapter-static@4',
    '@sveltejs/vite-plugin-svelte@7',
    'vite@8',
  ]),
  svelte('SvelteKit 2', [
    '@sveltejs/kit@2',
    '@sveltejs/adapter-static@3',
    '@sveltejs/vite-plugin-svelte@6',
    'vite@7',
  ]),
  ...['22', '21'].map(angular),
  {
    name: 'esbuild',
    recipe: [COPY, MODULE, COPY, 'esbuild'],
    packages: ['esbuild'],
    files: {
      ...MODULES,
      'public/index.html': `${PAGE}<script type="module" src="main.js"></script>`,
    },
    site: ['public'],
  },
  {
    name: 'Rollup 4',
    recipe: [MODULE, COPY, 'Rollup'],
    packages: ['rollup@4', '@rollup/plugin-node-resolve'],
    files: {
      ...MODULES,
      'public/index.html': `${PAGE}<script type="module" src="main.js"></script>`,
    },
    site: ['public'],
    unwanted: CIRCLE,
  },
  {
    name: 'Parcel 2',
    recipe: [MODULE, COPY, 'Parcel'],
    packages: ['parcel@2'],
    files: {
      'package.json': {
        private: true,
        '@parcel/resolver-default': { packageExports: true },
      },
      'src/index.html': `${PAGE}<script type="module" src="main.js"></script>`,
    },
    site: ['dist', 'public'],
  },
];

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

for (const kind of kinds)
  test(kind.name, async (context) => {
    const app = new App();
    try {
      await make(app, kind);
      context.diagnostic(`${kind.name}: ${versions(app, kind)}`);
      if (kind.dev) {
        await context.test('its dev server', () =>
          withServer(app.start(`${kind.dev}`), (url) =>
            look(browser, url, { isolated: kind.devIsolated ?? false }),
          ),
        );
      }
      await context.test('built', () => requireBuilt(app, kind));
    } finally {
      app.remove();
    }
  });

/** @param {App} app @param {Kind} kind */
async function make(app, { recipe, files, scaffold, packages, publicFolder = 'public', unwanted }) {
  if (scaffold) await app.run(scaffold);
  app.write({ ...takeRecipes(...recipe).files, ...files });
  app.putPicture(publicFolder);
  await app.install(['wisp-yolo', ...packages]);
  for (const line of takeRecipes(...recipe).commands) await run(app, line, unwanted);
}

/** @param {App} app @param {string} line @param {RegExp} [unwanted] what it may not say */
async function run(app, line, unwanted) {
  const said = await app.run(line);
  if (unwanted) assert.doesNotMatch(said, unwanted, line);
}

/** @param {App} app @param {Kind} kind */
function versions(app, { packages }) {
  const names = packages.map((one) => one.replace(/(.)@.*/, '$1'));
  return names.map((name) => `${name} ${app.version(name)}`).join(', ');
}

/** @param {App} app @param {Kind} kind */
async function requireBuilt(app, { build, site, start, unwanted }) {
  if (build) await run(app, build, unwanted);
  const folders = (site ?? []).map((name) => path.join(app.folder, name));
  for (const isolated of [true, false]) {
    const server = start
      ? app.start(start)
      : serve(folders, { headers: isolated ? ISOLATION : {} });
    const bare = start !== undefined && !isolated;
    await withServer(server, (url) => look(browser, url, { isolated, bare }));
  }
}

/** @param {Promise<{url: string, stop: () => void}>} starting @param {(url: string) => Promise<void>} use */
async function withServer(starting, use) {
  const { url, stop } = await starting;
  try {
    await use(url);
  } finally {
    stop();
  }
}
