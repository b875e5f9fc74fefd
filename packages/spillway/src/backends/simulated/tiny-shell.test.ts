import { fc, test as property } from '@fast-check/vitest';
import { systemClock } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { isKnown, runCommand } from './tiny-shell.ts';

async function run(command: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const code = await runCommand(
    command,
    {
      environment: new Map([['NAME', 'value']]),
      file: (path) => (path === '/file' ? Buffer.from('content\n') : undefined),
      stdin: (async function* () {
        yield Buffer.from(input);
      })(),
      stdout: async (text) => void out.push(text),
      stderr: async (text) => void err.push(text),
      clock: systemClock,
    },
    new AbortController().signal,
  );
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

const sh = (script: string): readonly string[] => ['sh', '-c', script];

describe('the tiny shell', () => {
  test.each([
    [['echo', 'a', '$NAME'], 0, 'a $NAME\n', ''],
    [sh('echo a; echo b'), 0, 'a\nb\n', ''],
    [sh('echo $NAME ${NAME} "$NAME" \'$NAME\' $UNSET.'), 0, 'value value value $NAME .\n', ''],
    [sh('false && echo no || echo yes'), 0, 'yes\n', ''],
    [sh('true && echo yes'), 0, 'yes\n', ''],
    [sh('echo out; echo err >&2; exit 3; echo never'), 3, 'out\n', 'err\n'],
    [sh('cat /file /none'), 1, 'content\n', 'cat: /none: No such file or directory\n'],
    [sh('env'), 0, 'NAME=value\n', ''],
    [sh(''), 0, '', ''],
    [['/bin/bash', '-c', 'exit 7'], 7, '', ''],
    [['uname', '-a'], 0, 'simulated: uname -a\n', ''],
  ])('runs %j', async (command, code, out, err) => {
    expect(await run(command)).toEqual({ code, out, err });
  });

  test('copies its input', async () => {
    expect(await run(['cat'], 'some input')).toEqual({ code: 0, out: 'some input', err: '' });
  });

  test('knows what it can run', () => {
    expect([sh('echo a; sleep 1 && exit 2'), sh('while true; do date; done'), ['nginx']].map(isKnown)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('stops sleeping when it is told', async () => {
    const surroundings = {
      environment: new Map(),
      file: () => undefined,
      stdin: nothing(),
      stdout: discard,
      stderr: discard,
      clock: systemClock,
    };
    await runCommand(['sleep', 'infinity'], surroundings, AbortSignal.timeout(5));
  });

  property.prop([fc.string()])('never fails on what it does not understand', async (script) => {
    if (!script.includes('sleep')) await expect(run(sh(script))).resolves.toBeDefined();
  });
});

async function discard(): Promise<void> {}

async function* nothing(): AsyncIterable<Uint8Array> {}
