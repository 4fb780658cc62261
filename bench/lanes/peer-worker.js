// The worker of an engine in a page: messages in, replies out. A classic worker, as LiteRT.js needs.

const desk = import('./peer-desk.js');

onmessage = async ({ data }) => {
  const { reply } = await desk;
  postMessage(await reply(data));
};
