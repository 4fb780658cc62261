// What a visitor can take away from the demo, in Chromium: addresses, code, counts, recordings; and what else is there.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { demoTest, MODEL, PICTURE } from './demo-case.js';

/** @typedef {import('./demo-page.js').DemoPage} DemoPage */

/** Serves the model and the picture beside the page. @param {DemoPage} demo */
async function serve({ page }) {
  await page.route('**/served/*.png', (route) =>
    route.fulfill({ body: PICTURE.buffer, contentType: 'image/png' }),
  );
  await page.route('**/served/*.wisp', (route) => route.fulfill({ body: MODEL.buffer }));
}

/** @param {DemoPage} demo @param {string} search */
const goto = (demo, search) => demo.page.goto(new URL(`./${search}`, demo.url).href);

/** @param {DemoPage} demo */
const address = ({ page }) => new URL(page.url()).search;

/** What the page's detection found, as JSON. @param {DemoPage} demo */
async function boxesOf({ page }) {
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  return JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).boxes;
}

demoTest('an address carries model, picture and settings', async (demo) => {
  await serve(demo);
  const { page } = demo;
  const wanted = '?model=served/own.wisp&image=served/a.png&confidence=0.3&max=5&agnostic=1';
  await goto(demo, `${wanted}&classes=bus,person&size=192x256&threads=1`);
  await page.locator('#copy:enabled').waitFor();
  await demo.rowCount((n) => n > 0);
  assert.equal(await page.locator('#model-name').innerText(), 'own');
  const values = ['confidence', 'max', 'size', 'threads'].map((id) => page.inputValue(`#${id}`));
  assert.deepEqual(await Promise.all(values), ['0.3', '5', '192×256', '1']);
  assert.ok(await page.locator('#agnostic').isChecked());
  assert.equal(await page.locator('#classes-count').textContent(), '2 of 3');
  assert.match((await page.locator('#tier-facts').textContent()) ?? '', /192 × 256/);
  assert.ok((await boxesOf(demo)).every((/** @type {any} */ { score }) => score > 0.3));
});

demoTest('what is changed goes into the address, and comes back from it', async (demo) => {
  await serve(demo);
  const { page } = demo;
  await goto(demo, '?model=served/own.wisp&image=served/a.png');
  await demo.rowCount((n) => n > 0);
  await page.locator('#confidence').focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('#tiles').check();
  await page.waitForURL(/confidence=0\.26&tiles=1$/);
  assert.equal(address(demo), '?model=served/own.wisp&image=served/a.png&confidence=0.26&tiles=1');
  await page.reload();
  await demo.rowCount((n) => n > 0);
  assert.equal(await page.inputValue('#confidence'), '0.26');
  assert.ok(await page.locator('#tiles').isChecked());
  await page.getByRole('button', { name: 'Defaults' }).click();
  await page.waitForURL((url) => !url.search.includes('confidence'));
  await demo.openPicture(PICTURE);
  await page.waitForURL((url) => !url.search.includes('image'));
});

demoTest('what an address asks for in vain is said', async (demo) => {
  await serve(demo);
  const { page } = demo;
  await goto(demo, '?model=served/own.wisp&image=served/a.png&confidence=7&classes=whale');
  const sentence = await demo.alert(/confidence/);
  assert.match(sentence, /confidence in the address is 0\.01 … 0\.99, not “7”\./);
  assert.match(sentence, /no class “whale”/);
  await demo.rowCount((n) => n > 0);
  assert.equal(await page.inputValue('#confidence'), '0.25');
  await goto(demo, '?model=http://example.com/a.wisp');
  assert.match(await demo.alert(), /example\.com\/a\.wisp” is not an address/);
});

/** Runs a module of the reader's as the page would, with its imports as `import()`. @param {string} code */
const runnable = (code) =>
  `(async () => {${code.replace(/^import (\{ \w+ \}|\w+) from ('.*');$/gm, (_, what, from) =>
    what.startsWith('{')
      ? `const ${what} = await import(${from});`
      : `const { default: ${what} } = await import(${from});`,
  )}\nreturn result.boxes;})()`;

demoTest('the code that is shown does what is on the screen', async (demo) => {
  await serve(demo);
  const { page } = demo;
  const query = '?model=served/own.wisp&image=served/a.png&confidence=0.3&classes=bus,person';
  await goto(demo, `${query}&size=256&threads=1`);
  await demo.rowCount((n) => n > 0);
  await page.waitForTimeout(500); // all that the address asks for is in force
  const shown = await boxesOf(demo);
  await page.getByRole('button', { name: 'Code', exact: true }).click();
  await page.getByRole('button', { name: 'Copy code' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Copied' }).waitFor();
  const code = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(code, /Detector\.open\('http.*own\.wisp', \{ size: 256, threads: 1 \}\)/);
  assert.match(code, /\{ confidence: 0\.3, classes: \['person', 'bus'\] \}/);
  const ran = await page.evaluate(runnable(code));
  assert.deepEqual(ran, shown);
  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.locator('dialog.code').count(), 0);
});

demoTest('the code for a video follows and draws', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.choose('choose-video', await demo.recordVideo());
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.locator('#count').check();
  await page.getByRole('button', { name: 'Code', exact: true }).click();
  const code = await page.locator('dialog.code code').last().innerText();
  assert.match(code, /Detector\.open\('random\.wisp'\)/);
  const bytes = [...MODEL.buffer];
  const own = code
    .replace("'random.wisp'", `new Uint8Array(${JSON.stringify(bytes)})`)
    .replace('!video.ended', 'tracker.counts.length === 0')
    .replace('new Tracker()', 'new Tracker({ hits: 1, confidence: 0 })')
    .replace(
      'await detector.close();',
      'await detector.close(); const result = { boxes: tracker.counts };',
    );
  const counts = await page.evaluate(runnable(own));
  assert.ok(counts[0].count > 0);
});

demoTest('things in a video are counted, and saved as CSV', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.locator('#confidence').evaluate((/** @type {HTMLInputElement} */ slider) => {
    slider.valueAsNumber = 0.05; // a random network is sure of nothing
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.locator('#count').check();
  await page.locator('#counts b').first().waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save CSV' }).click(),
  ]);
  const [head, ...rows] = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.equal(head, 'seconds,id,class,score,x,y,width,height');
  assert.match(rows[0], /^\d+\.\d{3},\d+,(person|bus|stop sign),0\.\d{3}(,-?\d+\.\d){4}$/);
  assert.match(await page.locator('#rows td').first().innerText(), /person|bus|stop sign/);
  await page.locator('#count').uncheck();
  await page.locator('#counting').waitFor({ state: 'hidden' });
});

/** @param {Parameters<Parameters<typeof demoTest>[1]>[0]} demo */
async function recordCamera(demo) {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.getByRole('button', { name: 'Record' }).click();
  await page.getByRole('button', { name: 'Stop recording' }).waitFor();
}

demoTest('what the camera sees is recorded with its boxes', async (demo) => {
  const { page } = demo;
  await recordCamera(demo);
  await page.waitForTimeout(1200);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Stop recording' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /-wisp\.(mp4|webm)$/);
  const bytes = await readFile(await download.path());
  const size = await page.evaluate(
    async (list) => {
      const video = document.createElement('video');
      video.src = URL.createObjectURL(new Blob([new Uint8Array(list)]));
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = () => reject(new Error(video.error?.message));
      });
      return [video.videoWidth, video.videoHeight];
    },
    [...bytes],
  );
  const seen = await page
    .locator('#frame video')
    .evaluate((/** @type {HTMLVideoElement} */ video) => [video.videoWidth, video.videoHeight]);
  assert.deepEqual(size, seen);
});

demoTest('a recording ends when something else is looked at', async (demo) => {
  const { page } = demo;
  await recordCamera(demo);
  await page.waitForTimeout(500);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    demo.choose('choose-picture', PICTURE),
  ]);
  assert.ok((await readFile(await download.path())).length > 100);
  await demo.rowCount((n) => n > 0);
  assert.ok(await page.locator('.over .record').isHidden());
});

demoTest('the stage fills the screen, and leaves it again', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.openPicture(PICTURE);
  await page.getByRole('button', { name: 'Full screen' }).click();
  await page.getByRole('button', { name: 'Leave full screen' }).waitFor();
  const fills = () => page.evaluate(() => document.fullscreenElement?.id);
  assert.equal(await fills(), 'stage');
  await page.getByRole('button', { name: 'Leave full screen' }).click();
  await page.getByRole('button', { name: 'Full screen', exact: true }).waitFor();
  assert.equal(await fills(), undefined);
});

demoTest("a camera's light is offered where it has one", async (demo) => {
  const { page } = demo;
  await page.evaluate(() => {
    const known = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await known(wish);
      const [track] = stream.getVideoTracks();
      const asked = /** @type {any[]} */ ([]);
      Object.assign(globalThis, { asked });
      track.getCapabilities = () => /** @type {any} */ ({ torch: true });
      track.applyConstraints = async (constraints) => void asked.push(constraints);
      return stream;
    };
  });
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.getByRole('button', { name: 'Turn the light on' }).click();
  await page.getByRole('button', { name: 'Turn the light off' }).click();
  await page.getByRole('button', { name: 'Turn the light on' }).waitFor();
  const asked = await page.evaluate(() => Reflect.get(globalThis, 'asked'));
  assert.deepEqual(asked, [{ advanced: [{ torch: true }] }, { advanced: [{ torch: false }] }]);
});

demoTest('the list of models opens what comes with the page and names the others', async (demo) => {
  const { page } = demo;
  await serve(demo);
  await page.unroute('**/models/zoo.json');
  const models = [
    { name: 'own', file: '../web/demo/served/own.wisp', about: 'three classes', licence: 'MIT' },
    { name: 'far', address: 'https://example.com/far.pt', bytes: 4_000_000, licence: 'AGPL-3.0' },
    { name: 'odd', address: 'javascript:alert(1)' },
  ];
  await page.route('**/models/zoo.json', (route) => route.fulfill({ json: { models } }));
  await page.getByRole('button', { name: 'All models' }).first().click();
  const link = page.getByRole('link', { name: 'Download far' });
  assert.equal(await link.getAttribute('href'), 'https://example.com/far.pt');
  assert.match(await page.locator('dialog.gallery').innerText(), /4\.00 MB · AGPL-3\.0/);
  assert.equal(await page.locator('dialog.gallery a').count(), 1);
  await page.getByRole('button', { name: 'Open own' }).click();
  await page.locator('#model-name', { hasText: 'own' }).waitFor();
  assert.match(await page.locator('#finds').innerText(), /finds person, bus, stop sign\./);
});
