import { expect, test } from 'vitest';
import { type Outcome, runSpillway } from '../testing/run-spillway.ts';

const spillway = (...args: string[]): Promise<Outcome> => runSpillway(args);

const name = `cli-${process.pid}`;

test('dev up, twice, then status, kubeconfig and down', async () => {
  const first = await spillway('dev', 'up', name, '--no-node');
  expect(first, first.stderr).toMatchObject({ code: 0 });
  expect(first.stdout).toContain('export KUBECONFIG=');
  expect(first.stdout).toContain(`spillway dev down ${name}`);

  const again = await spillway('dev', 'up', name, '--no-node');
  expect(again).toMatchObject({ code: 0, stdout: first.stdout });
  expect(again.stderr).toContain('already up');

  expect(await spillway('dev', 'up', name)).toMatchObject({ code: 0 });
  expect(await spillway('dev', 'up', name, '--no-node', '--kubernetes-version', '1.28')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`take it down first, spillway dev down ${name}`),
  });

  const status = await spillway('dev', 'status', '-o', 'json');
  const clusters: { name: string; state: string; components: { phase: string }[] }[] = JSON.parse(status.stdout);
  const cluster = clusters.find((candidate) => candidate.name === name);
  expect(cluster).toMatchObject({ state: 'ready' });
  expect(new Set(cluster?.components.map(({ phase }) => phase))).toEqual(new Set(['running']));
  expect((await spillway('dev', 'status')).stdout).toContain(`${name}: ready at https://`);

  const kubeconfig = await spillway('dev', 'kubeconfig', name);
  expect(first.stdout).toContain(kubeconfig.stdout.trim());

  expect(await spillway('dev', 'down', name)).toMatchObject({ code: 0 });
  expect((await spillway('dev', 'status')).stdout).not.toContain(`${name}:`);
});

test('mistakes get one clear line and exit code 2', async () => {
  const unknown = await spillway('dev', 'kubeconfig', 'never-made');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr.trim().split('\n')).toEqual([expect.stringContaining('spillway dev up never-made')]);
  const badName = await spillway('dev', 'down', 'Not_A_Name');
  expect(badName).toMatchObject({ code: 2 });
  expect(badName.stderr).toContain('lower-case letters');
});

test('dev down of a cluster that is not there says which there are', async () => {
  expect(await spillway('dev', 'down', 'never-made')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^there is no cluster "never-made"; there are/),
  });
});
