import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import { shellPod, startProduct, waitReady } from '../testkit/product.ts';
import { terminal } from '../testkit/terminal.ts';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

describe('kubectl with a pod on the virtual node', () => {
  let product: Product;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'spillway-streams-'));
    product = await startProduct('streams');
    const { kubectl, namespace } = product;
    await kubectl.apply(
      withNamespace(namespace, shellPod('shell', 'echo first; echo second; echo oops >&2; echo third; sleep 3600')),
      withNamespace(
        namespace,
        shellPod('ticker', 'i=0; while [ $i -lt 20 ]; do echo tick $i; i=$((i+1)); sleep 0.2; done; sleep 3600'),
      ),
    );
    await waitReady(kubectl, namespace, 'shell');
    await waitReady(kubectl, namespace, 'ticker');
    await eventually('the last line', async () =>
      (await kubectl.run(['logs', '-n', namespace, 'shell'])).includes('third'),
    );
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  test('logs prints both streams in order', async () => {
    const text = await product.kubectl.run(['logs', '-n', product.namespace, 'shell']);
    expect(text.split('\n').toSorted()).toEqual(['', 'first', 'oops', 'second', 'third']);
  });

  test('logs --tail and --timestamps', async () => {
    const text = await product.kubectl.run(['logs', '-n', product.namespace, 'shell', '--tail=1', '--timestamps']);
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) \w+\n$/);
  });

  test('logs -f delivers lines as they are written, up to the last', async () => {
    let text = '';
    const follow = product.testbed.cluster.spawn(
      product.testbed.cluster.kubectlPath,
      [
        '--kubeconfig',
        product.testbed.cluster.kubeconfig,
        'logs',
        '-f',
        '--timestamps',
        '--tail=5',
        '-n',
        product.namespace,
        'ticker',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const chunk of follow.stdout ?? []) {
      text += String(chunk);
      if (text.includes('tick 19\n')) break;
    }
    follow.kill();
    expect(text).toMatch(/ tick 19\n$/);
  });

  test('exec hands on stdout, stderr and the exit code', async () => {
    const result = await product.kubectl.try([
      'exec',
      '-n',
      product.namespace,
      'shell',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 7',
    ]);
    expect(result.stdout).toBe('out\n');
    expect(result.stderr).toContain('err\n');
    expect(result.code).toBe(7);
  });

  test('exec of a command that does not exist says so', async () => {
    const result = await product.kubectl.try(['exec', '-n', product.namespace, 'shell', '--', 'no-such-command']);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/no-such-command/);
  });

  test('exec -it has a terminal of the size of the user and follows its changes', async () => {
    const { testbed, namespace } = product;
    const output = await terminal(testbed.cluster, [
      'stty rows 33 cols 111',
      `(sleep 3; stty -F /dev/tty rows 44 cols 122) & ${testbed.cluster.kubectlPath} exec -it -n ${namespace} shell -- sh -c 'until [ "$(stty size 2>/dev/null)" = "33 111" ]; do sleep 0.1; done; stty size; until [ "$(stty size)" = "44 122" ]; do sleep 0.1; done; stty size; test -t 0 && echo is-a-terminal'`,
    ]);
    expect(output).toContain('33 111');
    expect(output).toContain('44 122');
    expect(output).toContain('is-a-terminal');
    expect(output).not.toContain('error');
  });

  test('50 MB through stdin and back are the same bytes', async () => {
    const data = randomBytes(50 * 1024 * 1024);
    const { cluster } = product.testbed;
    const cat = cluster.spawn(
      cluster.kubectlPath,
      ['--kubeconfig', cluster.kubeconfig, 'exec', '-i', '-n', product.namespace, 'shell', '--', 'cat'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    cat.stdin?.end(data);
    const chunks: Buffer[] = [];
    for await (const chunk of cat.stdout ?? []) chunks.push(chunk as Buffer);
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(data));
  });

  test('cp copies a file into the container and back', async () => {
    const data = randomBytes(3 * 1024 * 1024 + 17);
    const [from, back] = [path.join(dir, 'from'), path.join(dir, 'back')];
    await writeFile(from, data);
    const { kubectl, namespace } = product;
    await kubectl.run(['cp', from, `${namespace}/shell:/tmp/copied`]);
    await kubectl.run(['cp', `${namespace}/shell:/tmp/copied`, back]);
    expect(sha256(await readFile(back))).toBe(sha256(data));
  });

  test('logs of a container that does not exist names it', async () => {
    const result = await product.kubectl.try(['logs', '-n', product.namespace, 'shell', '-c', 'nobody']);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('nobody');
  });
});

function withNamespace<T extends { metadata?: object }>(namespace: string, object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace } };
}
