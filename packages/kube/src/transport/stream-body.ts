import { Readable } from 'node:stream';

/** Passes a response body on chunk by chunk, with back-pressure, and translates the error that it may end with. */
export function streamBody(source: Readable, translate: (error: unknown) => Error, onClose: () => void): Readable {
  const body = new Readable({
    read() {
      source.resume();
    },
    destroy(error, done) {
      // Later errors of the source have nobody left to tell.
      source.on('error', () => undefined);
      source.destroy();
      onClose();
      done(error);
    },
  });
  source
    .on('data', (chunk: Buffer) => {
      if (!body.push(chunk)) source.pause();
    })
    .on('end', () => body.push(null))
    .on('error', (error: unknown) => body.destroy(translate(error)))
    .on('close', () => {
      // Closed without a word: neither its end nor an error came.
      if (!source.readableEnded && !body.destroyed) body.destroy(translate(new Error('closed early')));
    });
  source.pause();
  return body;
}
