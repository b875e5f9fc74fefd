import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from '../exec.ts';
import { fetchBinary, parseChecksum, publishedChecksum } from './download.ts';

const files = new Map<string, Buffer>();
let server: Server;
let base: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  base = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : '';
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-download-'));
});
afterEach(() => rm(folder, { recursive: true }));

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

test('a program is fetched when its checksum agrees', async () => {
  const program = Buffer.from('program');
  files.set('/kubectl', program);
  files.set('/kubectl.sha256', Buffer.from(sha256(program)));
  const download = { url: `${base}/kubectl`, checksumUrl: `${base}/kubectl.sha256` };
  const checksum = await publishedChecksum(download);
  expect(checksum).toBe(sha256(program));
  await fetchBinary(download, checksum ?? '', join(folder, 'kubectl'));
  expect(await readFile(join(folder, 'kubectl'))).toEqual(program);
});

test('one with another checksum is thrown away', async () => {
  files.set('/kubectl', Buffer.from('something else'));
  const download = { url: `${base}/kubectl`, checksumUrl: '' };
  await expect(fetchBinary(download, sha256(Buffer.from('program')), join(folder, 'kubectl'))).rejects.toThrow(
    /thrown away/,
  );
  expect(await readdir(folder)).toEqual([]);
});

test('a program inside an archive is taken out of it', async () => {
  await writeFile(join(folder, 'etcd'), 'etcd!');
  await run('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', folder, 'etcd']);
  const archive = await readFile(join(folder, 'a.tar.gz'));
  files.set('/a.tar.gz', archive);
  const download = { url: `${base}/a.tar.gz`, checksumUrl: '', member: 'etcd' };
  await fetchBinary(download, sha256(archive), join(folder, 'result'));
  expect(await readFile(join(folder, 'result'), 'utf8')).toBe('etcd!');
});

test('a site without the file, and one that does not answer, have no checksum', async () => {
  expect(await publishedChecksum({ url: `${base}/none`, checksumUrl: `${base}/none.sha256` })).toBeUndefined();
  expect(await publishedChecksum({ url: 'http://127.0.0.1:1/x', checksumUrl: 'http://127.0.0.1:1/x' })).toBeUndefined();
});

const digest = 'ab'.repeat(32);
test.each([
  ['a bare digest', `${digest}\n`, digest],
  ['lines of sha256sum', `${'cd'.repeat(32)}  other.tgz\n${digest}  etcd.tgz\n`, digest],
  ['binary marks and folders', `${digest} *./etcd.tgz`, digest],
  ['another file only', `${digest}  other.tgz`, undefined],
  ['an error page', '<html>', undefined],
])('checksums are found in %s', (_what, text, expected) => {
  expect(parseChecksum(text, 'etcd.tgz')).toBe(expected);
});
