// Loaded before `spillway serve` by the benchmark: a signal collects garbage and writes down what is left of the heap.

import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  // The second collects what finalizers of the first let go.
  collect();
  setImmediate(() => {
    collect();
    writeSync(1, `${JSON.stringify({ heapAfterCollection: process.memoryUsage().heapUsed })}\n`);
  });
});
