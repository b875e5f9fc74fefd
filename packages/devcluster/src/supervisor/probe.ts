import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Probe } from '../components/component.ts';
import { http } from '../host/http.ts';

/** True when the component answers as it does when it works; never rejects. */
export async function probe(wanted: Probe): Promise<boolean> {
  try {
    if (wanted.kind === 'socket') return await accepts(wanted.path);
    const ca = wanted.caFile === undefined ? {} : { ca: await readFile(wanted.caFile, 'utf8') };
    const response = await http(wanted.url, { ...ca, ...(await clientPair(wanted.client)) });
    return response.status === 200;
  } catch {
    return false;
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function clientPair(
  client: { readonly certFile: string; readonly keyFile: string } | undefined,
): Promise<{ cert?: string; key?: string }> {
  if (client === undefined) return {};
  return { cert: await readFile(client.certFile, 'utf8'), key: await readFile(client.keyFile, 'utf8') };
}
