// What goes wrong on the demo page, in Chromium: files that are odd, answers that come late, and what is said then.

import assert from 'node:assert/strict';
import { tinyYolo } from '../support/tiny-yolo.js';
import { demoTest, MODEL, PICTURE } from './demo-case.js';

demoTest(
  'the picture on the stage serves the press, and what is no picture is said',
  async (demo) => {
    const { page } = demo;
    const onnx = { name: 'tiny.onnx', mimeType: '', buffer: Buffer.from(tinyYolo()) };
    const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') };
    const damaged = { ...PICTURE, name: 'damaged.png', buffer: Buffer.from('no picture') };
    await demo.choose('choose-picture', PICTURE);
    await page.locator('#frame img').waitFor();
    await demo.drop([onnx]);
    await page.locator('#press-count', { hasText: /^1 picture\./ }).waitFor();
    assert.ok(await page.getByRole('button', { name: 'Press', exact: true }).isEnabled());
    await demo.drop([text]);
    assert.match(await demo.alert(), /None of these files is a picture/);
    await demo.drop([{ ...onnx, name: 'other.onnx' }]);
    await page.locator('#press-lead', { hasText: /^other\.onnx/ }).waitFor();
    await demo.drop([damaged, damaged]);
    assert.equal(await page.locator('#press-notices').innerText(), '');
    await page.getByRole('button', { name: 'Press', exact: true }).click();
    assert.match(await demo.alert(), /^2 of 3 pictures could not be read\.$/);
    await page.locator('#model-name', { hasText: 'other' }).waitFor();
  },
);

demoTest('a picture that ends early and a drawing without a size are looked at', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  const jpeg = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d');
    for (let i = 0; i < 320; i += 4) {
      if (context) context.fillStyle = `hsl(${i * 7} 80% 50%)`;
      context?.fillRect(i, 0, 4, 240);
    }
    const blob = await canvas.convertToBlob({ type: 'image/jpeg' });
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const part = (/** @type {number} */ n) => ({
    name: `${n} bytes.jpg`,
    mimeType: 'image/jpeg',
    buffer: Buffer.from(jpeg.slice(0, n)),
  });
  const shape = '<rect width="30" height="60" fill="red"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 60">${shape}</svg>`;
  await demo.openPicture(part(jpeg.length >> 1));
  const drawing = { name: 'drawing.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(svg) };
  await demo.choose('choose-picture', drawing);
  await page.locator('#frame img[alt="The picture drawing.svg"]').waitFor();
  await page.locator('#summary', { hasText: /found|\d (person|bus|stop)/ }).waitFor();
  await demo.choose('choose-picture', part(100));
  assert.match(await demo.alert(), /100 bytes\.jpg is not a picture/);
});

demoTest('a picture that cannot be looked at does not wait for ever', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.evaluate(() => {
    const known = globalThis.createImageBitmap;
    globalThis.createImageBitmap = async (/** @type {any} */ of, /** @type {any} */ ...more) => {
      if (of instanceof ImageBitmap) throw new Error('out of memory');
      return known(of, ...more);
    };
  });
  await demo.choose('choose-picture', PICTURE);
  assert.match(await demo.alert(), /out of memory/);
  await page.locator('#summary', { hasText: 'Could not look at this picture' }).waitFor();
});

demoTest('a camera that starts late does not take the place of a picture', async (demo) => {
  const { page } = demo;
  await page.evaluate(() => {
    const known = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      await new Promise((resolve) => addEventListener('allow', resolve, { once: true }));
      const stream = await known(wish);
      Object.assign(globalThis, { stream });
      return stream;
    };
  });
  const ended = () =>
    page.waitForFunction(() => {
      const { stream } = /** @type {any} */ (globalThis);
      return stream?.getTracks()[0].readyState === 'ended';
    });
  await page.getByRole('button', { name: 'Use the webcam' }).click();
  await demo.choose('choose-picture', PICTURE);
  await page.locator('#frame img').waitFor();
  await page.evaluate(() => dispatchEvent(new Event('allow')));
  await ended();
  assert.equal(await page.locator('#frame img').count(), 1);
  await page.locator('#camera').click();
  await page.locator('#busy').waitFor();
  await page.keyboard.press('Escape');
  assert.ok(await page.locator('#busy').isHidden());
});

demoTest('menus go back to what is in force when another size cannot be opened', async (demo) => {
  const { page } = demo;
  await demo.openModel(MODEL);
  await page.getByLabel('Input size').selectOption('256×256');
  await page.locator('#tier-facts', { hasText: '256 × 256' }).waitFor({ state: 'attached' });
  await page.route('**/wisp*.wasm', (route) => route.abort());
  await page.route('**/wisp*.mjs', (route) => route.abort());
  await page.getByLabel('Input size').selectOption('320×320');
  await demo.alert();
  assert.equal(await page.getByLabel('Input size').inputValue(), '256×256');
  demo.allow(/ERR_FAILED/);
});

demoTest(
  'what is no model yet, and what may not be fetched or copied, has a sentence',
  async (demo) => {
    const { page } = demo;
    await demo.drop([{ name: 'best.pt', mimeType: '', buffer: Buffer.from('x') }]);
    assert.match(await demo.alert(), /best\.pt is a text file, not /);
    await page.locator('.bar').getByRole('button', { name: 'Address' }).click();
    await page.getByLabel('Address', { exact: true }).fill('http://example.com/a.wisp');
    await page.keyboard.press('Enter');
    assert.match(await demo.alert(/https/), /example\.com\/a\.wisp” is not an address/);
    await demo.openModel(MODEL);
    await demo.openPicture(PICTURE);
    await page.evaluate(() => {
      navigator.clipboard.writeText = async () => {
        throw new DOMException('Write permission denied.', 'NotAllowedError');
      };
    });
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    assert.match(await demo.alert(/clipboard/), /clipboard was not allowed/);
  },
);

demoTest(
  'on a phone notices are in sight wherever one has scrolled to',
  async (demo) => {
    const { page } = demo;
    await demo.openModel(MODEL);
    await page.locator('#size').scrollIntoViewIfNeeded();
    await demo.drop([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
    await demo.alert();
    const notice = await page.locator('.notice').boundingBox();
    assert.ok(notice && notice.y >= 0 && notice.y < 40, `${notice?.y}`);
    const [title, chip] = [page.locator('.brand'), page.locator('#tier')];
    const [left, right] = [await title.boundingBox(), await chip.boundingBox()];
    assert.ok(
      await title.evaluate((one) => one.scrollWidth <= one.clientWidth),
      'wisp is not covered',
    );
    assert.ok(left && right && left.x + left.width <= right.x);
  },
  { context: { viewport: { width: 320, height: 640 } } },
);
