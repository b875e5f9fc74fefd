import { describe, expect, it, onTestFinished } from 'vitest';
import { LargeBodies } from './large-bodies.ts';
import { slimReview } from './slim-review.ts';

const never = new AbortController().signal;

function largeBodies(maxSlimBytes = 512 * 1024): LargeBodies {
  const bodies = new LargeBodies(maxSlimBytes);
  onTestFinished(() => bodies.close());
  return bodies;
}

/** Many small values take the longest to parse. */
const junk = `{"request":{"object":{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":{"a":[]}`).join(',')}}}}`;

/** How often the process turned to something else. */
async function turnsUntil(end: Promise<unknown>): Promise<number> {
  let [turns, going] = [0, true];
  const turn = (): void => {
    turns += 1;
    if (going) setImmediate(turn);
  };
  turn();
  await end;
  going = false;
  return turns;
}

describe('a large AdmissionReview', () => {
  it('is parsed while everything else goes on', async () => {
    const slim = largeBodies().slim(Buffer.from(junk), never);
    expect(await turnsUntil(slim.catch(() => undefined))).toBeGreaterThan(50);
  });

  it('is refused when a great deal is left of it without what others keep in it', async () => {
    await expect(largeBodies().slim(Buffer.from(junk), never)).rejects.toMatchObject({ status: 413 });
  });

  it('that is none is refused, and the next one is answered', async () => {
    const bodies = largeBodies();
    await expect(bodies.slim(Buffer.from('{'), never)).rejects.toMatchObject({ status: 400 });
    expect(await bodies.slim(Buffer.from('{"request":{}}'), never)).toBe('{"request":{}}');
  });

  it('that takes too long is given up, and the next one is answered', async () => {
    const bodies = largeBodies();
    const late = new AbortController();
    const slow = bodies.slim(Buffer.from(junk), late.signal);
    const waiting = bodies.slim(Buffer.from(junk), late.signal);
    late.abort();
    await expect(slow).rejects.toMatchObject({ status: 503 });
    await expect(waiting).rejects.toMatchObject({ status: 503 });
    expect(await bodies.slim(Buffer.from('{"request":{}}'), never)).toBe('{"request":{}}');
  });
});

it('what an answer depends on is kept, and each annotation has its place', () => {
  const annotations = { mine: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  const object = { kind: 'Pod', metadata: { name: 'p', annotations, managedFields: [{}] }, spec: { a: 1 }, status: {} };
  const request = { uid: '1', operation: 'UPDATE', namespace: 'n', object, oldObject: null, userInfo: {} };
  const slim: unknown = JSON.parse(slimReview(JSON.stringify({ apiVersion: 'v1', kind: 'x', request })));
  const kept = { mine: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '' };
  expect(slim).toEqual({
    apiVersion: 'v1',
    request: {
      uid: '1',
      operation: 'UPDATE',
      namespace: 'n',
      object: { kind: 'Pod', metadata: { name: 'p', annotations: kept }, spec: { a: 1 } },
      oldObject: null,
    },
  });
});
