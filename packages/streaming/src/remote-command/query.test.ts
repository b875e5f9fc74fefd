import { describe, expect, test } from 'vitest';
import { parseRemoteCommandQuery } from './query.ts';

function parse(query: string): unknown {
  return parseRemoteCommandQuery(new URLSearchParams(query));
}

describe('the query of a remote command', () => {
  test('has the command in order and the streams under the kubelet’s names', () => {
    expect(parse('command=sh&command=-c&command=echo+a%26b&input=1&output=1&error=1')).toEqual({
      command: ['sh', '-c', 'echo a&b'],
      stdin: true,
      stdout: true,
      stderr: true,
      tty: false,
    });
  });

  test('drops stderr when there is a terminal', () => {
    expect(parse('output=1&error=1&tty=1')).toMatchObject({ stdout: true, stderr: false, tty: true });
  });

  test.each(['', 'command=ls', 'stdin=true&stdout=true', 'input=true', 'error=1&tty=1'])(
    'must ask for a stream: %j does not',
    (query) => {
      expect(() => parse(query)).toThrow(expect.objectContaining({ kind: 'invalid', status: 400 }));
    },
  );
});
