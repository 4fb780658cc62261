// The demo page in a real Chromium, with a small random model: everything a visitor can do.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyYolo } from '../support/tiny-yolo.js';
import { CLASSES, demoTest, MODEL, PICTURE } from './demo-case.js';

demoTest('an empty page says what to do', async ({ page }) => {
  assert.equal(await page.locator('#welcome h2').innerText(), 'See what is in a picture');
  assert.ok(await page.getByRole('button', { name: 'Choose a model' }).first().isVisible());
  assert.equal(await page.locator('#notices').innerText(), '');
});

demoTest('a model and a picture give boxes, a table and times', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  assert.match(await page.locator('#step-model').innerText(), /random is ready/);
  await demo.openPicture(PICTURE);
  const rows = await page.locator('#rows tr').count();
  assert.ok(rows > 0);
  assert.match(await page.locator('#summary').innerText(), /\d+ (persons?|bus|stop sign)/);
  assert.match(await page.locator('#total').innerText(), /^\d/);
  assert.match(await page.locator('#tier-text').innerText(), /SIMD · \d threads?/);
  assert.ok(await demo.overlayIsPainted(), 'boxes are drawn');
  await page.waitForFunction(() => document.querySelector('#spoken')?.textContent !== '');
});

demoTest('thresholds and classes act at once', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.openPicture(PICTURE);
  const all = await page.locator('#rows tr').count();
  await page.locator('#max').focus();
  await page.keyboard.press('Home');
  await demo.rowCount((n) => n === 1);
  await page.getByRole('button', { name: 'Defaults' }).click();
  await demo.rowCount((n) => n === all);
  await page.locator('#classes summary').click();
  await page.getByRole('button', { name: 'None' }).click();
  await demo.rowCount((n) => n === 0);
  assert.equal(await page.locator('#summary').innerText(), 'Nothing found');
  await page.getByLabel('Find a class').fill('bus');
  await page.getByRole('button', { name: 'All', exact: true }).click();
  assert.equal(await page.locator('#classes-count').innerText(), '1 of 3');
  await page.waitForFunction(() =>
    document.querySelector('#summary')?.textContent?.includes('bus'),
  );
});

demoTest('boxes can be copied as JSON and saved as a picture', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.openPicture(PICTURE);
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual([copied.width, copied.height], [160, 120]);
  assert.equal(copied.boxes.length, await page.locator('#rows tr').count());
  assert.ok(CLASSES.includes(copied.boxes[0].name));
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save PNG' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'scene-wisp.png');
  const png = await readFile(await download.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [160, 120]);
  assert.notDeepEqual(png, PICTURE.buffer);
});

demoTest('pictures can be dropped and pasted, and models too', async (demo) => {
  const { page } = demo;
  await demo.drop([MODEL, PICTURE]);
  await demo.rowCount((n) => n > 0);
  await page.evaluate(() => document.querySelector('#frame img')?.setAttribute('data-old', ''));
  await demo.paste(PICTURE);
  await page.locator('#frame img:not([data-old])').waitFor();
  await demo.rowCount((n) => n > 0);
});

demoTest('an ONNX file is pressed on dropped pictures, used and kept', async (demo) => {
  const { page } = demo;
  const onnx = { name: 'tiny.onnx', mimeType: '', buffer: Buffer.from(tinyYolo()) };
  await demo.drop([onnx, PICTURE]);
  await page.getByRole('heading', { name: 'Press a model' }).waitFor();
  assert.match(await page.locator('#press-count').innerText(), /^1 picture\./);
  await demo.drop([PICTURE, PICTURE]);
  await page.locator('#press-count', { hasText: /^3 pictures/ }).waitFor();
  await page.getByLabel('Bits of a weight').selectOption('6');
  await page.getByLabel('Blocks set to zero').selectOption('0.5');
  await demo.press(30_000);
  assert.equal(await page.locator('#model-name').innerText(), 'tiny');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'tiny.wisp');
  assert.equal((await readFile(await download.path())).toString('latin1', 0, 4), 'WISP');
  await demo.drop([{ ...onnx, buffer: onnx.buffer.subarray(0, 500) }]);
  await page.getByRole('heading', { name: 'Press a model' }).waitFor();
  await demo.drop([PICTURE]);
  await page.getByRole('button', { name: 'Press', exact: true }).click();
  assert.match(await demo.alert(), /tiny\.onnx/);
  await page.keyboard.press('Escape');
  assert.ok(await page.locator('#press-dialog').isHidden());
});

demoTest('a PyTorch checkpoint is pressed in the page', async (demo) => {
  const bytes = tinyPt({}, (model) => ({ model, opt: { imgsz: 64 } }));
  await demo.drop([{ name: 'best.pt', mimeType: '', buffer: Buffer.from(bytes) }, PICTURE]);
  await demo.press(30_000);
  assert.equal(await demo.page.locator('#model-name').innerText(), 'best');
});

demoTest('an address of the same server is opened', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.locator('.bar').getByRole('button', { name: 'Address' }).click();
  await page.route('**/served/*.png', (route) =>
    route.fulfill({ body: PICTURE.buffer, contentType: 'image/png' }),
  );
  await page.getByLabel('Address', { exact: true }).fill(new URL('served/a.png', demo.url).href);
  await page.keyboard.press('Enter');
  await page.locator('#frame img').waitFor();
  await demo.rowCount((n) => n > 0);
  await demo.page.locator('.bar').getByRole('button', { name: 'Address' }).click();
  await page.getByLabel('Address', { exact: true }).fill(new URL('index.html', demo.url).href);
  await page.keyboard.press('Enter');
  assert.match(await demo.alert(), /index\.html is a web page/);
});

demoTest('what cannot be opened is said in a sentence', async (demo) => {
  const { page } = demo;
  const wrong = { ...MODEL, buffer: Buffer.from('<!doctype html><title>404</title>') };
  await demo.choose('choose-model', wrong);
  assert.match(await demo.alert(), /random\.wisp.*\.$/);
  const short = { ...MODEL, buffer: MODEL.buffer.subarray(0, 2000) };
  await demo.choose('choose-model', short);
  assert.match(await demo.alert(/2000|ends/), /random\.wisp/);
  await demo.choose('choose-picture', { ...PICTURE, buffer: Buffer.from('no picture') });
  assert.match(await demo.alert(/scene/), /scene\.png is not a picture/);
  await demo.drop([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
  assert.match(await demo.alert(/notes/), /notes\.txt is a text file, not a picture/);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  assert.equal(await page.locator('#notices').innerText(), '');
});

demoTest('a webcam runs, is mirrored, and stops', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  assert.ok(await page.locator('#frame video.mirrored').isVisible());
  assert.equal(await page.locator('#frame video').getAttribute('playsinline'), '');
  await page.getByLabel('Mirrored').uncheck();
  assert.equal(await page.locator('#frame video.mirrored').count(), 0);
  await page.getByRole('button', { name: 'Stop webcam' }).click();
  await page.locator('#welcome').waitFor();
  assert.equal(await page.locator('#frame video').count(), 0);
});

demoTest('nothing is detected while the page is hidden', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await demo.hide(true);
  await page.waitForTimeout(300);
  const before = await page.locator('#total').innerText();
  await page.locator('#total').evaluate((place) => {
    place.textContent = 'frozen';
  });
  await page.waitForTimeout(500);
  assert.equal(await page.locator('#total').innerText(), 'frozen', `it was ${before}`);
  await demo.hide(false);
  await page.waitForFunction(() => document.querySelector('#total')?.textContent !== 'frozen');
});

demoTest('a video plays, pauses, and rests while the page is hidden', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.choose('choose-video', await demo.recordVideo());
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.getByRole('button', { name: 'Pause' }).click();
  const paused = () => page.locator('#frame video').evaluate((/** @type {any} */ v) => v.paused);
  assert.equal(await paused(), true);
  await page.getByRole('button', { name: 'Play' }).click();
  assert.equal(await paused(), false);
  await demo.hide(true);
  assert.equal(await paused(), true);
  await demo.hide(false);
  assert.equal(await paused(), false);
  await demo.choose('choose-video', {
    name: 'no.mp4',
    mimeType: 'video/mp4',
    buffer: MODEL.buffer.subarray(4),
  });
  assert.match(await demo.alert(), /no\.mp4 is not a video/);
});

demoTest('a camera that is refused is explained', async (demo) => {
  await demo.page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('Permission denied', 'NotAllowedError');
    };
  });
  await demo.page.getByRole('button', { name: 'Use the webcam' }).click();
  assert.match(await demo.alert(), /camera was not allowed/);
});

demoTest('size and threads can be chosen, and the page says what runs', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.getByLabel('Input size').selectOption('256×256');
  await page.locator('#tier-facts', { hasText: '256 × 256' }).waitFor({ state: 'attached' });
  await page.getByLabel('Threads').selectOption('1');
  await page.locator('#tier-text', { hasText: /1 thread$/ }).waitFor();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  assert.equal(await page.locator('#notices').innerText(), '');
  await page.locator('#tier').click();
  assert.match(await page.locator('#tier-reason').innerText(), /as asked for/);
});

demoTest(
  'without isolation there is one thread, and the reason is given',
  async (demo) => {
    await demo.openModel(MODEL);
    assert.match(await demo.page.locator('#tier-text').innerText(), /1 thread$/);
    assert.match(
      (await demo.page.locator('#tier-reason').textContent()) ?? '',
      /not cross-origin isolated/,
    );
    demo.allow(/wisp runs with/);
  },
  { isolated: false },
);

demoTest('everything is reached with the keyboard, and one sees where one is', async (demo) => {
  await demo.openModel(MODEL);
  await demo.openPicture(PICTURE);
  const reached = await demo.tabThrough();
  for (const name of [
    'Skip',
    'Relaxed|Plain',
    'Colours',
    'Picture',
    'Webcam',
    'Video',
    'Address',
  ]) {
    assert.ok(
      reached.some(({ text }) => new RegExp(name).test(text)),
      `${name} is reached`,
    );
  }
  for (const id of [
    'measure',
    'copy',
    'save',
    'confidence',
    'iou',
    'max',
    'agnostic',
    'multi',
    'tiles',
    'size',
    'threads',
  ]) {
    assert.ok(
      reached.some((one) => one.id === id),
      `#${id} is reached`,
    );
  }
  assert.deepEqual(
    reached.filter(({ outlined }) => !outlined),
    [],
    'focus is visible everywhere',
  );
  assert.equal(reached.filter(({ tag }) => tag === 'TR').length, 1, 'the table is one stop');
});

demoTest('arrow keys walk through the table and bring out a box', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await demo.openPicture(PICTURE);
  const before = await demo.overlay();
  await page.locator('#rows tr').first().focus();
  const first = await demo.overlay();
  assert.notEqual(first, before);
  await page.keyboard.press('ArrowDown');
  assert.ok(
    await page
      .locator('#rows tr')
      .nth(1)
      .evaluate((row) => row === document.activeElement),
  );
  assert.notEqual(await demo.overlay(), first);
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  assert.equal(await demo.overlay(), first);
});

demoTest('colours follow the system until one is chosen', async ({ page }) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await background();
  assert.notEqual(light, dark);
  await page.getByRole('button', { name: /^Colours: as the system/ }).click();
  assert.equal(await background(), light);
  await page.reload();
  assert.equal(await background(), light);
  await page.getByRole('button', { name: /^Colours: light/ }).click();
  assert.equal(await background(), dark);
});

for (const width of [320, 390, 768, 1024, 1440]) {
  demoTest(
    `nothing sticks out at ${width} pixels`,
    async (demo) => {
      await demo.openModel(MODEL);
      await demo.openPicture(PICTURE);
      assert.deepEqual(await demo.stickingOut(), []);
    },
    { context: { viewport: { width, height: 800 } } },
  );
}
