import { beforeEach, expect, test } from 'vitest';
import { LinkAccess, type LinkPod } from './access.ts';

const pod: LinkPod = { namespace: 'shop', name: 'web', uid: 'u1' };
let asked: string[];
let nowMs: number;
let away: boolean;
let access: LinkAccess;

beforeEach(() => {
  [asked, nowMs, away] = [[], 0, false];
  access = new LinkAccess({
    review: async (token) => {
      asked.push(token);
      if (away) throw new Error('away');
      return token === 'right' ? pod : undefined;
    },
    now: () => nowMs,
  });
});

test('a pod is let in with its token, about which the API server is asked once a minute', async () => {
  expect(await access.admit('Bearer right', '10.0.0.1')).toEqual(pod);
  expect(await access.admit('bearer right', '10.0.0.2')).toEqual(pod);
  expect(asked).toEqual(['right']);
  nowMs = 60_001;
  await access.admit('Bearer right', '10.0.0.1');
  expect(asked).toEqual(['right', 'right']);
});

test('nobody else is', async () => {
  for (const header of [undefined, '', 'Bearer', 'Basic right', 'Bearer wrong', `Bearer ${'x'.repeat(9000)} right`]) {
    expect(await access.admit(header, '10.0.0.1')).toBe('unauthorized');
  }
});

test('strangers get few questions asked, and pods that were here before are not held up by them', async () => {
  await access.admit('Bearer right', '10.0.0.1');
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => access.admit(`Bearer x${index}`, '10.0.0.9')),
  );
  expect(answers.filter((answer) => answer === 'tooMany').length).toBeGreaterThan(450);
  expect(asked.length).toBeLessThan(30);
  nowMs = 60_001;
  expect(await access.admit('Bearer right', '10.0.0.9')).toEqual(pod);
});

test('while the API server is away that is said, and not that the token is wrong', async () => {
  away = true;
  expect(await access.admit('Bearer right', '10.0.0.1')).toBe('unavailable');
  away = false;
  expect(await access.admit('Bearer right', '10.0.0.1')).toEqual(pod);
});
