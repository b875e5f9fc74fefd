import { spawn, type ChildProcess } from 'node:child_process';
import { expect, test } from 'vitest';
import type { ComponentSpec } from '../components/component.ts';
import { ComponentRunner } from './component-runner.ts';

const spec: ComponentSpec = {
  name: 'etcd',
  command: 'sleep',
  args: ['1000'],
  after: [],
  ready: { kind: 'socket', path: '' },
};

interface Setup {
  readonly runner: ComponentRunner;
  readonly launched: ChildProcess[];
  readonly lines: string[];
}

function setUp(command: readonly string[], probe: () => boolean = () => true): Setup {
  const launched: ChildProcess[] = [];
  const lines: string[] = [];
  const [program = '', ...args] = command;
  const runner = new ComponentRunner(spec, {
    launch: () => {
      const child = spawn(program, args, { stdio: 'ignore' });
      launched.push(child);
      return child;
    },
    probe: async () => probe(),
    log: (line) => lines.push(line),
  });
  return { runner, launched, lines };
}

test('start waits for readiness, stop for the end of the process', async () => {
  let ready = false;
  const { runner, launched } = setUp(['sleep', '1000'], () => ready);
  const started = runner.start();
  expect(runner.state.phase).toBe('starting');
  ready = true;
  await started;
  expect(runner.pid).toBe(launched[0]?.pid);
  await runner.stop();
  expect(runner.state.phase).toBe('stopped');
  expect(runner.pid).toBeUndefined();
  expect(launched[0]?.signalCode).toBe('SIGTERM');
});

test('a killed program comes back as a new process', async () => {
  const { runner, launched } = setUp(['sleep', '1000']);
  await runner.start();
  launched[0]?.kill('SIGKILL');
  await expect.poll(() => launched.length).toBe(2);
  await expect.poll(() => runner.state.phase).toBe('running');
  expect(runner.pid).toBe(launched[1]?.pid);
  await runner.stop('SIGKILL');
});

test('a program that cannot be started is tried again, and the log says why', async () => {
  const { runner, lines } = setUp(['/nonexistent/program'], () => false);
  const giveUp = new AbortController();
  const started = runner.start(giveUp.signal);
  await expect.poll(() => lines.join('\n')).toContain('ENOENT');
  await expect.poll(() => runner.state.phase).toBe('backoff');
  giveUp.abort(new Error('enough'));
  await expect(started).rejects.toThrow('enough');
  await runner.stop();
  expect(runner.state.phase).toBe('stopped');
});

test('who waits for the start of something that is stopped learns it', async () => {
  const { runner } = setUp(['sleep', '1000'], () => false);
  const started = runner.start();
  started.catch(() => {});
  await runner.stop();
  await expect(started).rejects.toThrow(/stopped before it was ready/);
});
