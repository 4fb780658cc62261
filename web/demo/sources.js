// sources.js - opens what is looked at: a picture, a video file or a camera.

import { cameraSentence } from './camera-sentences.js';
import { make } from './elements.js';

/**
 * @typedef {object} Source
 * @property {'picture' | 'video' | 'camera'} kind
 * @property {string} name
 * @property {HTMLImageElement | HTMLVideoElement} element
 * @property {HTMLImageElement | HTMLVideoElement | ImageBitmap | OffscreenCanvas} frame what is looked at:
 *   a picture is decoded once
 * @property {string} [address] where it was fetched
 * @property {boolean} mirrored shown with left and right swapped
 * @property {() => {width: number, height: number}} size in source pixels, as of now
 * @property {() => void} close releases the camera, the file and the element
 */

/** The numbers in the file, as the Detector takes them. @type {ImageBitmapOptions} */
const AS_STORED = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' };

/**
 * @param {Blob} blob
 * @param {string} name
 * @returns {Promise<Source>}
 */
export async function openPicture(blob, name) {
  const picture = make('img');
  picture.alt = `The picture ${name}`;
  const url = URL.createObjectURL(blob);
  picture.src = url;
  let frame;
  try {
    await picture.decode();
    frame = await createImageBitmap(picture, AS_STORED).catch(() => drawn(picture));
  } catch {
    URL.revokeObjectURL(url);
    throw new Error(
      `${name} is not a picture that this browser can read. Try a JPEG, PNG or WebP file.`,
    );
  }
  return {
    kind: 'picture',
    name,
    element: picture,
    frame,
    mirrored: false,
    size: () => ({ width: picture.naturalWidth, height: picture.naturalHeight }),
    close: () => {
      if (frame instanceof ImageBitmap) frame.close();
      URL.revokeObjectURL(url);
    },
  };
}

/** Of a file that ends early, what there is; of a drawing without a size, one. @param {HTMLImageElement} picture */
function drawn(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error(`There is no canvas of ${width} × ${height}.`);
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/**
 * @param {Blob} blob
 * @param {string} name
 * @returns {Promise<Source>}
 */
export async function openVideo(blob, name) {
  const url = URL.createObjectURL(blob);
  const video = player(`The video ${name}`);
  video.loop = true;
  video.src = url;
  try {
    await started(video);
  } catch {
    discard(video, () => URL.revokeObjectURL(url));
    throw new Error(
      `${name} is not a video that this browser can play. Try an MP4 (H.264) or WebM file.`,
    );
  }
  return moving('video', name, video, () => URL.revokeObjectURL(url));
}

/**
 * Asks for a camera; a rejected promise holds a sentence that says what to do.
 * @param {string | undefined} deviceId one of `listCameras`, otherwise the browser's choice
 * @param {(error: Error) => void} onLost the camera was unplugged or taken away
 * @returns {Promise<Source>}
 */
export async function openCamera(deviceId, onLost) {
  if (!navigator.mediaDevices) throw new Error(cameraSentence('insecure'));
  /** @type {MediaStream | undefined} */
  let stream;
  try {
    const device = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'environment' };
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: { ...device, ...size } });
    const video = player('The camera');
    video.srcObject = stream;
    await started(video);
    const [track] = stream.getVideoTracks();
    track.addEventListener('ended', () => onLost(new Error(cameraSentence('lost'))));
    return camera(video, track);
  } catch (error) {
    for (const track of stream?.getTracks() ?? []) track.stop();
    throw new Error(cameraSentence(error instanceof DOMException ? error.name : ''), {
      cause: error,
    });
  }
}

/** @returns {Promise<{id: string, name: string}[]>} named only after the camera was allowed once */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === 'videoinput')
    .map((device, i) => ({ id: device.deviceId, name: device.label || `Camera ${i + 1}` }));
}

/** @param {HTMLVideoElement} video @param {MediaStreamTrack} track @returns {Source} */
function camera(video, track) {
  const source = moving('camera', track.label || 'Camera', video, () => track.stop());
  // One's own face is expected as in a mirror; what a rear camera sees is not.
  source.mirrored = track.getSettings().facingMode !== 'environment';
  return source;
}

/** @param {string} label */
function player(label) {
  const video = make('video');
  video.muted = true;
  video.playsInline = true; // iOS would play full screen, away from the boxes
  video.setAttribute('aria-label', label);
  return video;
}

/** Resolves when the first picture of the video is there. @param {HTMLVideoElement} video */
async function started(video) {
  await video.play();
  if (!video.videoWidth) throw new Error('sound only');
}

/** @param {'video' | 'camera'} kind @param {string} name @param {HTMLVideoElement} video
 * @param {() => void} release @returns {Source} */
function moving(kind, name, video, release) {
  return {
    kind,
    name,
    element: video,
    frame: video,
    mirrored: false,
    size: () => ({ width: video.videoWidth, height: video.videoHeight }),
    close: () => discard(video, release),
  };
}

/** @param {HTMLVideoElement} video @param {() => void} release */
function discard(video, release) {
  video.pause();
  video.srcObject = null;
  video.removeAttribute('src');
  video.load();
  release();
}
