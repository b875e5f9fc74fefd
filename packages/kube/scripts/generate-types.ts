// Writes src/generated/*.ts from the OpenAPI v3 documents of an API server.
//
//   node --conditions=spillway-source scripts/generate-types.ts --server [--kubeconfig FILE] [--context NAME]
//   node --conditions=spillway-source scripts/generate-types.ts --dir k8s.io/kubernetes/api/openapi-spec/v3
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseJson } from '../src/json.ts';
import { documentPaths, generateTypes, type OpenApiDocument } from './openapi-types.ts';

const target = join(import.meta.dirname, '../src/generated');

async function fromDirectory(directory: string): Promise<OpenApiDocument[]> {
  const file = (path: string): string => join(directory, `${path.replaceAll('/', '__')}_openapi.json`);
  return await Promise.all(
    documentPaths.map(async (path) => parseJson<OpenApiDocument>(await readFile(file(path), 'utf8'))),
  );
}

async function fromServer(kubeconfig: string, context: string | undefined): Promise<OpenApiDocument[]> {
  // Loaded here because the client itself needs the generated types.
  const { KubeClient, loadKubeconfig } = await import('../src/index.ts');
  const config = await loadKubeconfig({ paths: [kubeconfig], ...(context === undefined ? {} : { context }) });
  await using client = new KubeClient({ config });
  return await Promise.all(
    documentPaths.map((path) => client.request<OpenApiDocument>({ method: 'GET', path: `/openapi/v3/${path}` })),
  );
}

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    server: { type: 'boolean', default: false },
    kubeconfig: { type: 'string', default: join(homedir(), '.kube/config') },
    context: { type: 'string' },
  },
});
if ((values.dir === undefined) === !values.server) {
  process.stderr.write('generate-types: give either --server or --dir DIRECTORY\n');
  process.exit(2);
}
const documents =
  values.dir === undefined ? await fromServer(values.kubeconfig, values.context) : await fromDirectory(values.dir);
const files = generateTypes(documents);
await mkdir(target, { recursive: true });
for (const old of await readdir(target)) if (!files.has(old)) await rm(join(target, old));
for (const [name, text] of files) await writeFile(join(target, name), text);
process.stdout.write(`${files.size} files written to ${target}\n`);
