import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Probe } from '../components/component.ts';
import { http } from '../host/http.ts';

/** True when the component answers as it does when it works; never rejects. */
export async function probe(wanted: Probe): Promise<boolean> {
  try {
    if (wanted.kind === 'socket') return await accepts(wanted.path);
    const [ca, cert, key] = await Promise.all(
      [wanted.caFile, wanted.client?.certFile, wanted.client?.keyFile].map((file) =>
        file === undefined ? undefined : readFile(file, 'utf8'),
      ),
    );
    const response = await http(wanted.url, {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    });
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
