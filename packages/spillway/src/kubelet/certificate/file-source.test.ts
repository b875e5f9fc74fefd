import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestAuthority } from '../testing/authority.ts';
import { recordingLogger } from '../testing/fakes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { FileCertificateSource } from './file-source.ts';
import type { KeyPair } from './key-pair.ts';

describe('a certificate in files', () => {
  let dir: string;
  let authority: TestAuthority;
  const stop = { signal: new AbortController() };

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'spillway-certificate-'));
    authority = await TestAuthority.create('files');
    stop.signal = new AbortController();
  });

  afterEach(() => rm(dir, { recursive: true }));

  async function put({ cert, key }: KeyPair): Promise<void> {
    await replace('tls.crt', cert);
    await replace('tls.key', key);
  }

  /** In one step, as whoever renews a certificate does: a reader never sees half a file. */
  async function replace(name: string, content: string): Promise<void> {
    const file = path.join(dir, name);
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  }

  function run(): {
    used: KeyPair[];
    logger: ReturnType<typeof recordingLogger>;
    clock: ManualClock;
    ended: Promise<void>;
  } {
    const logger = recordingLogger();
    const clock = new ManualClock();
    const used: KeyPair[] = [];
    const files = { certFile: path.join(dir, 'tls.crt'), keyFile: path.join(dir, 'tls.key') };
    const source = new FileCertificateSource({ ...files, logger, clock });
    const ended = source.run((pair) => used.push(pair), stop.signal.signal);
    return { used, logger, clock, ended };
  }

  test('is used, and used again when the files change', async () => {
    const [first, second] = [await authority.issue({}), await authority.issue({})];
    await put(first);
    const { used, clock, ended } = run();
    await clock.pass();
    expect(used).toEqual([first]);
    await put(second);
    await clock.pass();
    await clock.pass();
    expect(used).toEqual([first, second]);
    stop.signal.abort();
    await ended;
  });

  test('that does not fit its key is reported once and not used; the one before stays', async () => {
    const [first, second] = [await authority.issue({}), await authority.issue({})];
    await put(first);
    const { used, logger, clock, ended } = run();
    await clock.pass();
    await put({ cert: second.cert, key: first.key });
    for (let i = 0; i < 3; i++) await clock.pass();
    expect(used).toEqual([first]);
    const errors = logger.lines.filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ message: expect.stringContaining('the previous one stays in use') }]);
    stop.signal.abort();
    await ended;
  });

  test('that is not there yet is waited for', async () => {
    const { used, logger, clock, ended } = run();
    await clock.pass();
    expect(logger.lines).toMatchObject([
      { level: 'error', message: expect.stringContaining('logs and exec will not work') },
    ]);
    const pair = await authority.issue({});
    await put(pair);
    await clock.pass();
    await clock.pass();
    expect(used).toEqual([pair]);
    stop.signal.abort();
    await ended;
  });
});
