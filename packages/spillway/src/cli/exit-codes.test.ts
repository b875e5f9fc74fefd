import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Command } from 'commander';
import { addCommands } from './commands.ts';
import { type Answer, FakeApi, healthy, refusal } from './testing/fake-api.ts';
import { type Outcome, runCommand } from './testing/run-command.ts';

let dir: string;
let clusters: Record<string, FakeApi>;

const forbidden = (request: string): Answer =>
  request.endsWith('/version')
    ? healthy(request)
    : refusal(403, 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope');

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'spillway-exit-'));
  const file = (name: string, text: string): Promise<void> => writeFile(path.join(dir, name), text);
  await file('good.yaml', 'ledger: {directory: .}\npools: [{name: a, nodeName: vk, backend: {type: simulated}}]\n');
  await file('bad.yaml', 'pools: 1\n');
  await file(
    'web.yaml',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: main, image: a}]}\n',
  );
  const label = 'labels: {virtual-kubelet.io/burst-to-cci: always}';
  await file(
    'unknown.yaml',
    `apiVersion: v1\nkind: Pod\nmetadata: {name: web, ${label}}\nspec: {containers: [{name: a, image: a}]}\n`,
  );
  await file('a.jsonl', '');
  const api = (answer: (request: string) => Answer): Promise<FakeApi> => FakeApi.start(dir, answer);
  clusters = {
    healthy: await api(healthy),
    empty: await api((request) => (request === 'GET /api/v1/nodes' ? { body: { items: [] } } : healthy(request))),
    forbidden: await api(forbidden),
    unauthorized: await api(() => refusal(401, 'Unauthorized')),
    silent: await api(() => undefined),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(clusters).map((each) => each[Symbol.asyncDispose]()));
  await rm(dir, { recursive: true });
});

/** `@name` is a cluster, `FILE.yaml` a file of the test. */
function run(line: string): Promise<Outcome> {
  const words = line.split(' ').flatMap((word) => {
    const cluster = clusters[word.slice(1)];
    if (word.startsWith('@') && cluster)
      return ['--kubeconfig', cluster.kubeconfig, ...(word === '@silent' ? ['--request-timeout', '300ms'] : [])];
    return [/\.(yaml|jsonl)$/.test(word) ? path.join(dir, word) : word];
  });
  return runCommand(...words);
}

const cases: readonly (readonly [code: number, lines: readonly string[]])[] = [
  [
    0,
    [
      'config check --config good.yaml',
      'config explain pools',
      'config schema',
      'manifests rbac --config good.yaml',
      'manifests admission --config good.yaml --carrier policy',
      'manifests crds',
      'why pod/web @healthy',
      'plan -f web.yaml @healthy',
      'plan -f web.yaml --offline --config good.yaml',
      'doctor @healthy',
      'ledger --file a.jsonl',
      'uninstall --config good.yaml --offline --cluster-id c --dry-run',
      'uninstall --config good.yaml --offline --cluster-id c --yes',
      'leaks --config good.yaml @healthy',
      'migrate-addon @healthy',
      'dead-man --help',
      'hibernate --config good.yaml --to zero --dry-run @healthy',
      'hibernate --config good.yaml --to local --yes @healthy',
      'resume @healthy',
      'completion bash',
      'version',
      'help',
      'help dev',
      'serve --help',
      'install --help',
      'upgrade --help',
      'dev --help',
      'cci-region meter --help',
    ],
  ],
  [
    1,
    [
      'why pod/web @forbidden',
      'why pod/web @silent',
      'plan -f web.yaml @forbidden',
      'plan -f web.yaml @silent',
      'doctor @silent',
      'doctor network @empty',
      'doctor network @forbidden',
      'install --config good.yaml --image a/b:1 @silent',
      'upgrade --image a/b:1 @forbidden',
      'status @forbidden',
      'migrate-addon @forbidden',
      'status @silent',
      'hibernate --config good.yaml --to zero --yes @silent',
      'resume @forbidden',
      'uninstall --config good.yaml --dry-run @silent',
      'uninstall --config good.yaml --dry-run @forbidden',
    ],
  ],
  [
    2,
    [
      'remove',
      'uninstall --config bad.yaml',
      'uninstall --config good.yaml --offline',
      'uninstall --config good.yaml --cluster-id c',
      'uninstall --config good.yaml --offline --cluster-id c',
      'leaks',
      'dead-man',
      'dead-man --config good.yaml',
      'dead-man --config good.yaml --cluster-id c',
      'dead-man --in-namespace burst --cluster-id c @healthy',
      'leaks --config good.yaml --remove c @healthy',
      'migrate-addon --timeout soon @healthy',
      'remove --help',
      'config nonsense --help',
      'dev nonsense',
      'config check --config bad.yaml',
      'config check --config nowhere.yaml',
      'config explain nothing',
      'manifests rbac --config bad.yaml',
      'manifests admission --config bad.yaml',
      'manifests crds --output xml',
      'serve --config bad.yaml',
      'install --image a/b:1',
      'install --config bad.yaml --image a/b:1',
      'install --config good.yaml --image a/b:1 --replicas none @healthy',
      'install --config good.yaml --image a/b:1 --secret login @healthy',
      'install --config good.yaml --image a/b:1 @unauthorized',
      'upgrade --config bad.yaml @healthy',
      'status @unauthorized',
      'why',
      'why pod/web @unauthorized',
      'why pod/web --kubeconfig nowhere.yaml',
      'why pod/web --request-timeout soon',
      'hibernate --config good.yaml --yes @healthy',
      'hibernate --config good.yaml --to zero @healthy',
      'hibernate --config good.yaml --to nowhere @healthy',
      'resume --timeout 5',
      'plan',
      'plan -f bad.yaml --offline --config good.yaml',
      'plan -f web.yaml @unauthorized',
      'plan -f web.yaml --replicas many',
      'doctor @unauthorized',
      'doctor --run-pod',
      'doctor network --run-pod',
      'doctor network --size many',
      'doctor network --node none @healthy',
      'ledger',
      'completion tcsh',
      'version now',
      'dev down Not_A_Name',
      'dev up --max-pods many',
      'cci-region up --node none-such',
    ],
  ],
  [3, ['plan -f unknown.yaml --offline --config good.yaml', 'doctor @empty', 'doctor @forbidden']],
];

it.each(cases.flatMap(([code, lines]) => lines.map((line) => [line, code] as const)))(
  'spillway %s ends with %i, and says why not with 0',
  async (line, code) => {
    const outcome = await run(line);
    expect(outcome).toMatchObject({ code });
    if (code === 1 || code === 2) expect(outcome.stderr).not.toBe('');
    expect(outcome.stderr).not.toMatch(/\n {4}at |Error:/);
  },
);

it('every documented code is one that commands end with, and every command has a case', async () => {
  const page = await readFile(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
  const documented = Array.from(page.matchAll(/^\| (\d) \|/gm), ([, code]) => Number(code));
  expect(cases.map(([code]) => code)).toEqual(documented);
  const program = new Command();
  await addCommands(program, [], { stdout: process.stdout, stderr: process.stderr });
  const seen = new Set(cases.flatMap(([, lines]) => lines.map((line) => line.split(' ')[0])));
  for (const command of program.commands) expect(seen).toContain(command.name());
});

it('a right that is missing is told with who lacks it, and what to do', async () => {
  const { stderr } = await run('why pod/web @forbidden');
  expect(stderr).toMatch(/User "jane" cannot list resource "nodes".* have an administrator grant it to jane/);
  const { stdout } = await run('doctor --no-color @forbidden');
  expect(stdout).toContain('not-allowed-to-look');
  expect(stdout).not.toContain('Nothing is wrong');
  expect((await run('why pod/web @unauthorized')).stderr).toMatch(/Unauthorized\. .*log in again/);
});

it('an unknown command is told with those that there are', async () => {
  expect((await run('remove --help')).stderr).toMatch(/^there is no command "remove"; there are: serve, config, /);
  expect((await run('config nonsense')).stderr).toBe(
    'there is no command of "spillway config" "nonsense"; there are: schema, explain, check\n',
  );
});

it('the value of an option is not taken for a command', async () => {
  expect((await run('doctor --run-pod nginx')).stderr).toContain('--run-pod needs --config');
  expect((await run('doctor --run-pod --nonsense')).stderr).toContain("unknown option '--nonsense'");
});

it('an API server that does not answer is told while it is waited for, and until when', async () => {
  const kubeconfig = clusters['silent']?.kubeconfig ?? '';
  const { code, stderr } = await runCommand('why', 'pod/web', '--kubeconfig', kubeconfig, '--request-timeout', '4s');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^waiting for the API server at http:\/\/127\.0\.0\.1:\d+ \(at most 4 s, Ctrl-C to give up\)\n.*within 4 s\n$/,
  );
});
