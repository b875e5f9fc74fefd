// A thread of its own, see large-bodies.ts.
import { parentPort } from 'node:worker_threads';
import { slimReview } from './slim-review.ts';

parentPort?.on('message', (body: Uint8Array) => {
  parentPort?.postMessage(answerTo(Buffer.from(body).toString('utf8')), []);
});

function answerTo(text: string): { readonly slim: string } | { readonly problem: string } {
  try {
    return { slim: slimReview(text) };
  } catch (error) {
    // What is nested too deeply to be written again is given as it is.
    if (error instanceof RangeError) return { slim: text };
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
