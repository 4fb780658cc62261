// demo.js - wires the page: what is opened goes to the detector, what comes back to the screen.
import { Busy } from './busy.js';
import { ClassFilter } from './class-filter.js';
import { block, button, input } from './elements.js';
import { kindOf, listen } from './intake.js';
import { ModelPanel } from './model-panel.js';
import { Notices } from './notices.js';
import { Panel } from './panel.js';
import { Pump } from './pump.js';
import { Results } from './results.js';
import { Samples } from './samples.js';
import { isAbort, isCode, opening, stem, stranger } from './sentences.js';
import { Session } from './session.js';
import { SourceBar } from './source-bar.js';
import { Speed } from './speed.js';
import { themeButton } from './theme.js';
import { View } from './view.js';
import { embeddedModel } from './zoo.js';

/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('./session.js').Model} Model */
/** @typedef {import('./results.js').Result} Result */

const REMEMBERED_MS = 400; // after the last change

class Demo {
  #notices = new Notices(block('notices'));
  #busy = new Busy('busy', (error) => this.#notices.error(error));
  #loading = new Busy('loading', (error) => this.#notices.error(error)); // a model, while all else goes on
  #session = new Session();
  #view = new View();
  /** @type {Pump<Result>} */
  #pump = new Pump(
    (source) => this.#look(source),
    (result, source) => this.#show(result, source),
    (error) => this.#fail(error),
  );
  #panel = new Panel(() => this.#changed());
  #classes = new ClassFilter(() => this.#changed());
  #speed = new Speed(() => this.#pump.request());
  #models = new ModelPanel({
    onChange: () => this.#session.model && void this.#openModel(this.#session.model),
    onDownload: () => void this.#downloadModel(),
  });
  #samples = new Samples((address) => void this.#fetch(address));
  #results = new Results({
    onHighlight: (index) => this.#view.highlight(index),
    onSave: () => this.#savePicture(),
    onError: (error) => this.#notices.error(error),
  });
  #bar = new SourceBar({
    onCamera: (id) => this.#openCamera(id),
    onStop: () => this.#turnTo(null),
    onMirror: (mirrored) => this.#view.mirror(mirrored),
    onRecord: () => void this.#record(),
  });
  /** Loaded with the first code that is seen. @type {import('./codes.js').Codes | null} */
  #codes = null;
  /** Loaded when things are to be counted. @type {import('./counting.js').Counting | null} */
  #counting = null;
  /** @type {Promise<void> | undefined} */
  #countingLoads;
  /** While one goes on. @type {import('./recording.js').Recording | null} */
  #recording = null;
  /** Loaded with the first .onnx file. @type {import('./press-panel.js').PressPanel | null} */
  #press = null;
  /** @type {Source | null} */
  #source = null;
  #asked = false; // for a model: then the one that comes with the page stays away
  #timer = 0;

  start() {
    themeButton(button('theme'), () => this.#speed.repaint());
    for (const opener of document.querySelectorAll('[data-open]')) {
      opener.addEventListener('click', () => input(opener.getAttribute('data-open') ?? '').click());
    }
    listen({
      files: (files) => void this.#take(files),
      address: (address) => void this.#fetch(address),
    });
    for (const opener of document.querySelectorAll('[data-gallery]')) {
      opener.addEventListener('click', () => void this.#showGallery());
    }
    button('code').addEventListener('click', () => void this.#showCode());
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape' && !document.querySelector('dialog[open]')) this.#busy.giveUp();
    });
    void this.#begin();
  }

  /** With what the address asks for, or the model that comes with the page. */
  async #begin() {
    const params = new URLSearchParams(location.search);
    const address = location.search ? await import('./address.js') : null;
    const { model, image } = address?.asked(params) ?? {};
    const own = await embeddedModel(model);
    if (own && !this.#asked) await this.#openModel(own);
    else if (model && !this.#asked) await this.#fetch(model);
    const fault = address?.apply(params, this.#classes);
    if (image && !this.#source) await this.#fetch(image);
    if (fault) this.#notices.error(fault);
  }

  /** @param {File[]} files dropped, pasted or chosen together @param {string} [address] where they were fetched */
  async #take(files, address) {
    if (this.#press?.isOpen) return this.#press.add(files);
    const kinds = await Promise.all(files.map(kindOf));
    const first = (/** @type {string} */ sort) =>
      files[kinds.findIndex((kind) => kind.sort === sort)];
    const [network, model, picture, video] = ['network', 'model', 'picture', 'video'].map(first);
    this.#notices.clear();
    if (network) return this.#openPress(network, files);
    if (model) void this.#openModel({ source: model, name: stem(model.name), bytes: model.size });
    if (picture) return this.#openFile('openPicture', picture, address);
    if (video) return this.#openFile('openVideo', video, address);
    if (!model && files.length) this.#notices.error(stranger(files[0].name, kinds[0]));
  }

  /** @param {File} model @param {File[]} files dropped together with it */
  async #openPress(model, files) {
    const [{ PressPanel }, { freeze }] = await Promise.all([
      import('./press-panel.js'),
      import('./annotate.js'),
    ]);
    this.#press ??= new PressPanel({
      onPressed: (file, remark) => {
        void this.#openModel({
          source: file,
          name: stem(file.name),
          bytes: file.size,
          pressed: true,
        });
        if (remark) this.#notices.error(remark);
      },
      sample: async () => this.#source && freeze(this.#source).convertToBlob(),
    });
    await this.#press.open(model, files);
  }

  /** @param {string} address */
  async #fetch(address) {
    /** @type {Promise<void> | undefined} */
    let opening;
    await this.#busy.during('Fetching …', async (signal) => {
      const { checked, fetchFile } = await import('./fetching.js');
      const url = checked(address);
      if (/\.wisp$/i.test(url.pathname)) {
        // it runs while it arrives
        opening = this.#openModel({ source: url.href, name: stem(url.pathname), bytes: 0 });
        return;
      }
      const say = (/** @type {number} */ loaded, /** @type {number} */ total) =>
        this.#busy.say(`Fetching from ${url.host} …`, total ? loaded / total : undefined);
      say(0, 0);
      await this.#take([await fetchFile(url, signal, say)], url.href);
    });
    await opening;
  }

  /** @param {Model} model */
  async #openModel(model) {
    this.#asked = true;
    const before = this.#session.model;
    const again = model === before; // with another size, or other threads
    this.#notices.clear();
    await this.#loading.during(`Opening ${model.name} …`, async (signal) => {
      const known = await this.#session.open(model, this.#models.settings, signal, (progress) => {
        this.#loading.say(...opening(model.name, progress));
      });
      const detector = this.#session.detector;
      if (!detector) return;
      this.#models.show(known, detector.info);
      if (!again) this.#adopt(detector.info.classes);
      this.#speed.clear();
      block('stage').classList.add('ready');
      if (!this.#source) this.#results.clear('No picture yet');
      this.#pump.request();
      if (before || !model.isEmbedded) this.#remember();
    });
    if (!this.#loading.isBusy) this.#models.restore();
  }

  /** What a model finds decides what is asked for. @param {string[]} classes */
  #adopt(classes) {
    this.#classes.show(classes);
    this.#samples.offer(classes);
    // one code is never two, however much it looks like both
    this.#panel.suggest({ classAgnostic: classes.some(isCode) });
  }

  /** @param {string} [id] */
  #openCamera(id) {
    const onLost = (/** @type {Error} */ error) => {
      this.#turnTo(null);
      this.#notices.error(error);
    };
    void this.#open('Waiting for the camera …', ({ openCamera }) => openCamera(id, onLost));
  }

  /** @param {'openPicture' | 'openVideo'} open @param {File} file @param {string} [address] */
  #openFile(open, file, address) {
    return this.#open(`Opening ${file.name} …`, async (sources) => ({
      ...(await sources[open](file, file.name)),
      address,
    }));
  }

  /**
   * What is opened last is looked at, however late the others come.
   * @param {string} text
   * @param {(sources: typeof import('./sources.js')) => Promise<Source>} open
   */
  #open(text, open) {
    return this.#busy.during(text, async (signal) => {
      const source = await open(await import('./sources.js'));
      if (signal.aborted) source.close();
      else this.#turnTo(source);
    });
  }

  /** @param {Source | null} source */
  #turnTo(source) {
    const before = this.#source;
    if (this.#recording) void this.#record();
    this.#source = source;
    this.#notices.clear();
    this.#view.show(source);
    this.#bar.show(source);
    this.#speed.clear();
    this.#codes?.clear();
    this.#counting?.end();
    if (source?.address || before?.address) this.#remember();
    const waiting = this.#session.detector ? 'Looking …' : 'Waiting for a model';
    this.#results.clear(source ? waiting : 'No picture yet');
    this.#pump.turnTo(source);
    before?.close();
  }

  get #options() {
    const classes = this.#classes.wanted;
    return { ...this.#panel.options, ...(classes && { classes }) };
  }

  /** @param {Source} source */
  #look(source) {
    if (!this.#codes || !this.#session.detector?.info.classes.some(isCode))
      return this.#session.detect(source.frame, this.#options);
    return this.#codes.look(source, this.#options, (result) => {
      if (source === this.#source) this.#draw(result, source);
    });
  }

  /** @param {Result} result @param {Source} source */
  #show(result, source) {
    this.#notices.settle();
    const boxes = this.#draw(result, source);
    this.#recording?.add(boxes);
    void this.#loadCodes(result.boxes);
    this.#speed.show(
      result.times,
      source.element instanceof HTMLVideoElement && !source.element.paused,
    );
    if (this.#speed.wantsMore) this.#pump.request();
  }

  /** @param {Result} result @param {Source} source @returns {Result['boxes']} as they are drawn */
  #draw(result, source) {
    const boxes = this.#followed(result.boxes, source);
    this.#view.draw(boxes);
    this.#results.show({ ...result, boxes });
    return boxes;
  }

  /** The boxes with numbers, if they are to be counted. @param {Result['boxes']} boxes @param {Source} source */
  #followed(boxes, source) {
    const { element } = source;
    if (!this.#panel.counting || !(element instanceof HTMLVideoElement)) {
      this.#counting?.end();
      return boxes;
    }
    this.#countingLoads ??= import('./counting.js').then(({ Counting }) => {
      this.#counting = new Counting();
      this.#pump.request();
    });
    return this.#counting?.follow(boxes, source, element) ?? boxes;
  }

  /** @param {unknown} error why nothing was found out about a frame */
  #fail(error) {
    this.#notices.error(error, true);
    if (!isAbort(error)) this.#results.clear('Could not look at this picture');
  }

  /** What reads codes, with the first. @param {Result['boxes']} boxes */
  async #loadCodes(boxes) {
    if (this.#codes || !boxes.some(({ name }) => isCode(name))) return;
    const { Codes } = await import('./codes.js');
    this.#codes ??= new Codes({
      detect: (picture, options) => this.#session.detect(picture, options),
      classes: () => this.#session.detector?.info.classes ?? [],
      onHighlight: (box) => this.#view.highlightBox(box),
      onError: (error) => this.#notices.error(error),
    });
    this.#pump.request();
  }

  /** Starts a recording, or ends the one that goes on. */
  async #record() {
    const running = this.#recording;
    this.#recording = null;
    this.#bar.recording(false);
    if (running) return running.stop();
    const source = this.#source;
    const { Recording } = await import('./recording.js');
    if (!source || source !== this.#source) return;
    try {
      this.#recording = new Recording(source);
      this.#bar.recording(true);
    } catch (error) {
      this.#notices.error(error);
    }
  }

  /** A setting has changed. */
  #changed() {
    this.#pump.request();
    this.#remember();
  }

  /** Soon, in the address: browsers refuse a hundred changes in half a minute. */
  #remember() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(
      async () => history.replaceState(null, '', await this.#address()),
      REMEMBERED_MS,
    );
  }

  /** Of this page with its settings. */
  async #address() {
    const { addressOf } = await import('./address.js');
    const { source, isEmbedded } = this.#session.model ?? {};
    const model = typeof source === 'string' && !isEmbedded ? source : undefined;
    return addressOf({ model, image: this.#source?.address, classes: this.#classes.names });
  }

  async #showGallery() {
    const { showGallery } = await import('./gallery.js');
    await showGallery((model) => void this.#openModel(model));
  }

  async #showCode() {
    const { showCode } = await import('./code-panel.js');
    const { model } = this.#session;
    const name = typeof model?.source === 'string' ? model.source : `${model?.name}.wisp`;
    const { size, threads } = this.#models.settings;
    const classes = this.#classes.names;
    const shown = {
      model: !model || model.isEmbedded ? null : name,
      opening: {
        ...(size && { size: size.width === size.height ? size.width : size }),
        ...(threads && { threads }),
      },
      detecting: { ...this.#panel.changed, ...(classes && { classes }) },
      kind: this.#source?.kind ?? 'picture',
      counting: this.#panel.counting,
    };
    await showCode(shown, new URL(await this.#address(), location.href).href);
  }

  async #savePicture() {
    const source = this.#source;
    if (!source) return;
    const { annotated, freeze, save } = await import('./annotate.js');
    const frame = freeze(source);
    const result = await this.#session.detect(frame, this.#options);
    const picture = await annotated(frame, result?.boxes ?? [], source.mirrored);
    save(picture, `${stem(source.name)}-wisp.png`);
  }

  async #downloadModel() {
    const { save } = await import('./annotate.js');
    const model = this.#session.model;
    if (model?.source instanceof Blob) save(model.source, `${model.name}.wisp`);
  }
}

new Demo().start();
