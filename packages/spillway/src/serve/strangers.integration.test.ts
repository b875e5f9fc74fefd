// Whoever may not log in tries it all at once, and those who may notice nothing: an administrator's exec goes through the API
// server to the kubelet port, and the node's lease is renewed by the same process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { leases } from '@spillway/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Rehearsal, rehearsalNamespace } from '../../testkit/rehearsal.ts';
import { trusted } from '../backends/trusted.ts';
import type { Kind, Tried } from './testing/crowd.ts';

const attackMs = process.env['SPILLWAY_SOAK'] === '1' ? 60_000 : 10_000;
const healthPort = 10_280;
/** Renewed every ten seconds; a node is away after 40. */
const leaseAgeMs = 30_000;
/** The crowd and the other tests have the same cores: what is kept from going on at all takes as long as there is a crowd. */
const execMs = 20_000;
const moreMemory = 200 * 1024 * 1024;
/** TokenReviews a second. */
const questionsPerSecond = 10;

let rehearsal: Rehearsal;

beforeAll(async () => {
  rehearsal = await Rehearsal.start(async () => ({ backend: 'simulated', advice: true }));
  const { testbed } = rehearsal;
  await testbed.stop();
  const config: object = parse(await readFile(testbed.configFile, 'utf8'));
  await writeFile(testbed.configFile, stringify({ ...config, observability: { healthPort } }));
  await testbed.start();
  await rehearsal.create('pod', 'sleep 3600');
  await rehearsal.ready('pod');
  await rehearsal.eventually('the first exec', async () => (await exec()).said === 'hello\n');
});

afterAll(() => rehearsal?.[Symbol.asyncDispose]());

async function exec(): Promise<{ readonly said: string; readonly ms: number }> {
  const began = Date.now();
  const command = ['exec', '-n', rehearsalNamespace, 'pod', '--', 'echo', 'hello'];
  const { stdout, stderr } = await rehearsal.cluster.kubectl(command);
  return { said: stdout + stderr, ms: Date.now() - began };
}

async function leaseAge(): Promise<number> {
  const name = rehearsal.testbed.nodeName;
  const lease = await rehearsal.admin.resource(leases).get({ namespace: 'kube-node-lease', name });
  return Date.now() - Date.parse(lease.spec?.renewTime ?? '');
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${rehearsal.testbed.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** That the API server was asked by anybody so far. */
async function tokenReviews(): Promise<number> {
  const { stdout } = await rehearsal.cluster.kubectl(['get', '--raw', '/metrics']);
  const counts = stdout.matchAll(/^apiserver_request_total\{[^}]*resource="tokenreviews"[^}]*\} (\d+)$/gm);
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}

const all: readonly Kind[] = ['tokens', 'slow connections', 'large headers', 'large bodies'];

it.each<[string, number, string, readonly Kind[]]>([
  ['kubelet port', 10_260, '/exec/work/pod/main?command=id', ['tokens']],
  ['kubelet port', 10_260, '/exec/work/pod/main?command=id', all],
  ['port of the webhook', 9443, '/admission/advise', all],
  ['health port', healthPort, '/healthz', all],
])(
  'at the %s (%i%s) come %j: exec and lease go on, memory and questions to the API server are bounded',
  async (name, port, at, kinds) => {
    const before = { bytes: await residentBytes(), reviews: await tokenReviews() };
    const argv = [rehearsal.cluster.nodeAddress, String(port), at, ...kinds];
    const crowd = fork(path.join(import.meta.dirname, 'testing/crowd.ts'), argv, {
      execArgv: ['--conditions=spillway-source'],
    });
    const began = Date.now();
    const seen = { execMs: [] as number[], bytes: 0, leaseMs: 0 };
    while (Date.now() - began < attackMs) {
      const { said, ms } = await exec();
      expect(said).toBe('hello\n');
      seen.execMs.push(ms);
      seen.leaseMs = Math.max(seen.leaseMs, await leaseAge());
      seen.bytes = Math.max(seen.bytes, await residentBytes());
    }
    const asked = (await tokenReviews()) - before.reviews;
    const lastedMs = Date.now() - began;
    crowd.send('enough');
    const [message] = await once(crowd, 'message');
    const tried = trusted<Tried>(message);
    const slowest = Math.max(...seen.execMs);
    process.stdout.write(
      `${name}: tried ${JSON.stringify(tried)} in ${attackMs} ms; ${seen.execMs.length} execs, the slowest ${slowest} ms; ` +
        `lease at most ${seen.leaseMs} ms old; ${Math.round((seen.bytes - before.bytes) / 2 ** 20)} MiB more; ${asked} TokenReviews\n`,
    );
    expect(Object.keys(tried)).toEqual(kinds);
    expect(slowest).toBeLessThan(execMs);
    expect(seen.leaseMs).toBeLessThan(leaseAgeMs);
    expect(seen.bytes - before.bytes).toBeLessThan(moreMemory);
    expect(asked).toBeLessThan((questionsPerSecond * lastedMs) / 1000);
  },
);
