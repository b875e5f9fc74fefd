import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildImage, type Image, type TarEntry } from '@spillway/devcluster';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../../..');
const agent = path.join(root, 'packages/link-agent');

/** Name of the image of the link agent in the registries of tests. */
export const agentImage = 'docker.io/library/spillway-link-agent:test';

/** The agent as it is built, with the Node.js that runs this. */
export async function buildAgentImage(): Promise<Image> {
  const built = await mkdtemp(path.join(tmpdir(), 'link-agent-'));
  try {
    const tsc = path.join(root, 'node_modules/.bin/tsc');
    const project = path.join(agent, 'tsconfig.build.json');
    await run(tsc, ['-p', project, '--outDir', built, '--sourceMap', 'false']);
    const entries: TarEntry[] = [
      ...(await program(process.execPath)),
      ...(await folder(built, 'agent/dist')),
      ...(await Promise.all(
        ['dns-packet', '@leichtgewicht/ip-codec', 'ws'].map(async (name) =>
          folder(await moduleFolder(name), `agent/node_modules/${name}`),
        ),
      ).then((all) => all.flat())),
      file('agent/package.json', Buffer.from('{"type":"module"}'), 0o644),
    ];
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const entrypoint = ['/usr/bin/node', ...agentNodeArguments, '/agent/dist/main.js'];
    return buildImage({ entries: [...foldersOf(entries), ...entries], entrypoint }, architecture);
  } finally {
    await rm(built, { recursive: true });
  }
}

/** Small memory before speed: what the agent does most is done by the kernel, and JavaScript that is compiled takes 10 MiB. */
export const agentNodeArguments: readonly string[] = [
  '--max-old-space-size=64',
  '--initial-old-space-size=4',
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];

async function moduleFolder(name: string): Promise<string> {
  for (let at = root; ; at = path.dirname(at)) {
    const found = path.join(at, 'node_modules', name);
    if ((await readdir(found).catch(() => [])).length > 0) return found;
    if (at === '/') throw new Error(`module ${name} is not installed: run npm install`);
  }
}

/** A program with the libraries that it loads, where it looks for them. */
async function program(executable: string): Promise<TarEntry[]> {
  const { stdout } = await run('ldd', [executable]);
  const libraries = stdout.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  const places = [[executable, 'usr/bin/node'] as const, ...libraries.map((each) => [each, each.slice(1)] as const)];
  return Promise.all(places.map(async ([from, to]) => file(to, await readFile(from), 0o755)));
}

function file(to: string, content: Buffer, mode: number): TarEntry {
  return { type: 'file', path: to, mode, content };
}

async function folder(from: string, to: string): Promise<TarEntry[]> {
  const names = await readdir(from, { recursive: true, withFileTypes: true });
  return Promise.all(
    names
      .filter((each) => each.isFile())
      .map(async (each) => {
        const whole = path.join(each.parentPath, each.name);
        return file(path.join(to, path.relative(from, whole)), await readFile(whole), 0o644);
      }),
  );
}

function foldersOf(entries: readonly TarEntry[]): TarEntry[] {
  const folders = new Set(['tmp', 'etc', 'proc', 'sys', 'dev']);
  for (const { path: of } of entries) {
    for (let at = path.dirname(of); at !== '.'; at = path.dirname(at)) folders.add(at);
  }
  return [...folders]
    .toSorted((a, b) => a.length - b.length)
    .map((each) => ({ type: 'directory', path: each, mode: 0o755 }));
}
