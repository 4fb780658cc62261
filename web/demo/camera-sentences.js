// camera-sentences.js - why there is no camera.
/** @type {Record<string, string>} */
const CAMERA = {
  insecure: 'The camera works on secure pages only: open this page through https or on localhost.',
  NotAllowedError:
    'The camera was not allowed. Allow it in the settings beside the address, then try again.',
  NotFoundError: 'No camera was found. Connect one and press Webcam again.',
  NotReadableError:
    'The camera is busy: close the other program that uses it and press Webcam again.',
  OverconstrainedError: 'That camera is no longer there. Choose another one.',
  lost: 'The camera is gone: it was unplugged or the permission was taken back.',
  AbortError: 'The camera stopped before its first picture. Press Webcam again.',
};

/** @param {string} name of the DOMException that getUserMedia gave */
export const cameraSentence = (name) =>
  CAMERA[name] ?? 'The camera could not be started. Check that it works in another program.';
