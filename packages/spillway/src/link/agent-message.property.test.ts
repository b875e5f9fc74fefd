import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readAgentMessage } from './agent-message.ts';

test('names are followed and not followed', () => {
  expect(readAgentMessage('{"follow":[["shop","web"]],"later":1}')).toEqual({
    follow: [['shop', 'web']],
    unfollow: [],
  });
  expect(readAgentMessage('{"unfollow":[["shop","web"]]}')).toEqual({ follow: [], unfollow: [['shop', 'web']] });
});

describe('what is no message', () => {
  test.each([
    '',
    '[]',
    'null',
    '{"follow":{}}',
    '{"follow":[["shop"]]}',
    '{"follow":[["shop",""]]}',
    `{"follow":[["shop","${'x'.repeat(64)}"]]}`,
    JSON.stringify({ follow: Array.from({ length: 257 }, () => ['a', 'b']) }),
  ])('%#', (text) => {
    expect(readAgentMessage(text)).toBeUndefined();
  });
});

test('whatever comes is read or refused, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.jsonValue(), (text, value) => {
      readAgentMessage(text);
      const { follow = [] } = readAgentMessage(JSON.stringify({ follow: value, unfollow: value })) ?? {};
      for (const name of follow) expect(name).toHaveLength(2);
    }),
    { numRuns: 3000 },
  );
});
