import { Readable } from 'node:stream';

/** Passes a response body on chunk by chunk, with back-pressure, and translates the error it may end with. */
export function streamBody(source: Readable, translate: (error: unknown) => Error, onClose: () => void): Readable {
  const body = new Readable({
    read() {
      source.resume();
    },
    destroy(error, done) {
      source.destroy();
      onClose();
      done(error);
    },
  });
  source.pause();
  source
    .on('data', (chunk: Buffer) => {
      if (!body.push(chunk)) source.pause();
    })
    .on('end', () => body.push(null))
    .on('error', (error: unknown) => body.destroy(translate(error)))
    .on('close', () => {
      if (!body.readableEnded && !body.destroyed && !source.readableEnded) body.destroy(translate(source.errored));
    });
  return body;
}
