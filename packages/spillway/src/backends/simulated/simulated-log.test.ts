import { expect, it } from 'vitest';
import { SimulatedLog } from './simulated-log.ts';

it('gives back each byte as it was written, whatever it stands for', async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const log = new SimulatedLog();
  log.write(0, 'Stdout', all);
  log.end();
  const read = async (timestamps: boolean): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    const options = { follow: true, timestamps, previous: false, stream: 'All' } as const;
    await log.read(options, { write: async (text) => void parts.push(text) }, new AbortController().signal);
    return Buffer.concat(parts);
  };
  expect(await read(false)).toEqual(all);
  expect(await read(true)).toEqual(Buffer.concat([Buffer.from('1970-01-01T00:00:00.000000000Z '), all]));
});
