/** Something that a pod finds out about what is around it. It is tried again until it succeeds or its time is over. */
export type Question = (
  | { readonly kind: 'tcp' | 'udp'; readonly host: string; readonly port: number; readonly expect: string }
  | { readonly kind: 'name'; readonly host: string }
  /** That many bytes arrive as they were sent. */
  | { readonly kind: 'transfer'; readonly host: string; readonly port: number; readonly bytes: number }
  /** Nobody answers there any more. */
  | { readonly kind: 'silent'; readonly host: string; readonly port: number; readonly expect: string }
  /** The API server answers, with the certificate that the cluster's authority has issued. */
  | { readonly kind: 'api' }
) & { readonly withinMs: number };

export type Answer =
  | { readonly ok: true; readonly ms: number; readonly text: string }
  /** `code` is that of the system (`ECONNREFUSED`) if there is one. */
  | { readonly ok: false; readonly ms: number; readonly code: string; readonly text: string };

/** What a pod says of itself. */
export interface Surroundings {
  readonly nameServers: readonly string[];
  /** Where client libraries look for the API server. */
  readonly apiServer: string;
}

export interface ProbeReport {
  readonly answers: readonly Answer[];
  readonly surroundings: Surroundings;
}

export const probePorts: Ports = { tcp: 9300, udp: 9301 };

export interface Ports {
  readonly tcp: number;
  readonly udp: number;
}

interface Probe {
  /** Answers who asks at the two ports with `says`, until it is told to stop. Resolves when it listens. */
  readonly serve: (says: string, ports: Ports) => Promise<Ports & { readonly stop: () => void }>;
  readonly ask: (questions: readonly Question[]) => Promise<ProbeReport>;
}

/** Of a container that serves, as a variable: commands in the container run it again. */
const variable = 'SPILLWAY_PROBE';
const evaluate = ['node', '-e', `eval(process.env.${variable})`] as const;

export const probeEnvironment = (): { readonly name: string; readonly value: string } => ({
  name: variable,
  value: `(${makeProbe.toString()})().main(process.argv.slice(1))`,
});
export const serveCommand = (says: string): readonly string[] => [
  ...evaluate,
  'serve',
  says,
  JSON.stringify(probePorts),
];
export const askCommand = (questions: readonly Question[]): readonly string[] => [
  ...evaluate,
  'ask',
  JSON.stringify(questions),
];

// oxlint-disable unicorn/consistent-function-scoping -- all that it uses travels with it

/** The program of a test pod. It travels as its own text, so it uses nothing but what Node.js 20.16 has built in. */
export function makeProbe(): Probe & { readonly main: (words: readonly string[]) => Promise<void> } {
  const net = process.getBuiltinModule('node:net');
  const dgram = process.getBuiltinModule('node:dgram');
  const https = process.getBuiltinModule('node:https');
  const events = process.getBuiltinModule('node:events');
  const { lookup } = process.getBuiltinModule('node:dns/promises');
  const { createHash, randomBytes } = process.getBuiltinModule('node:crypto');
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises');
  const tryMs = 4000;
  const digestBytes = 32;
  const account = '/var/run/secrets/kubernetes.io/serviceaccount';

  const serve: Probe['serve'] = async (says, ports) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (line) => {
        const [, bytes] = /^send (\d+)\n/.exec(line.toString()) ?? [];
        if (bytes === undefined) socket.end(says);
        else void send(socket, Number(bytes)).catch(() => socket.destroy());
      });
    });
    const packets = dgram.createSocket('udp4');
    packets.on('message', (_, { address, port }) => packets.send(says, port, address));
    server.listen(ports.tcp, '0.0.0.0');
    packets.bind(ports.udp, '0.0.0.0');
    await Promise.all([events.once(server, 'listening'), events.once(packets, 'listening')]);
    const address = server.address();
    return {
      tcp: typeof address === 'object' && address !== null ? address.port : ports.tcp,
      udp: packets.address().port,
      stop: () => {
        packets.close();
        server.close();
      },
    };
  };

  /** The bytes, and what they have to add up to. */
  const send = async (socket: InstanceType<typeof net.Socket>, bytes: number): Promise<void> => {
    const hash = createHash('sha256');
    for (let left = bytes; left > 0; ) {
      const chunk = randomBytes(Math.min(left, 65_536));
      hash.update(chunk);
      left -= chunk.length;
      if (!socket.write(chunk)) await events.once(socket, 'drain');
    }
    socket.end(hash.digest());
  };

  /** What is sent until the end of the connection, in chunks. */
  const exchange = async (
    host: string,
    port: number,
    line: string,
    take: (chunk: Buffer) => void,
    idleMs: number,
  ): Promise<void> => {
    const socket = net.connect({ host, port, timeout: idleMs });
    socket.once('timeout', () =>
      socket.destroy(Object.assign(new Error(`no answer within ${idleMs / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    socket.once('connect', () => socket.write(line));
    try {
      for await (const chunk of socket) take(Buffer.from(chunk));
    } finally {
      socket.destroy();
    }
  };

  const overTcp = async (host: string, port: number): Promise<string> => {
    let text = '';
    await exchange(host, port, 'who\n', (chunk) => (text += chunk.toString()), tryMs);
    return text;
  };

  const overUdp = async (host: string, port: number): Promise<string> => {
    const { address } = await lookup(host, { family: 4 });
    const socket = dgram.createSocket('udp4');
    // Packets may be lost.
    const again = setInterval(() => socket.send('who', port, address), 500);
    try {
      const answer = events.once(socket, 'message', { signal: AbortSignal.timeout(tryMs) });
      socket.send('who', port, address);
      const [message] = await answer.catch(() => {
        throw Object.assign(new Error(`no answer within ${tryMs / 1000} s`), { code: 'ETIMEDOUT' });
      });
      return String(message);
    } finally {
      clearInterval(again);
      socket.close();
    }
  };

  const expected = (text: string, expect: string): string => {
    if (text === expect) return text;
    throw Object.assign(
      new Error(text === '' ? 'the connection was closed without an answer' : 'somebody else answered'),
      {
        code: text === '' ? 'ECLOSED' : 'EOTHER',
      },
    );
  };

  const transfer = async (host: string, port: number, bytes: number): Promise<string> => {
    const hash = createHash('sha256');
    const startedAt = performance.now();
    let got = 0;
    const rest: Buffer[] = [];
    await exchange(
      host,
      port,
      `send ${bytes}\n`,
      (chunk) => {
        const own = Math.max(0, Math.min(chunk.length, bytes - got));
        hash.update(chunk.subarray(0, own));
        rest.push(chunk.subarray(own));
        got += chunk.length;
      },
      10_000,
    );
    const says = Buffer.concat(rest);
    if (says.length < digestBytes) throw new Error(`the connection was closed after ${got} of ${bytes} bytes`);
    if (!says.equals(hash.digest())) throw new Error(`${bytes} bytes arrived, and not as they were sent`);
    return `${Math.round(bytes / 1e3 / (performance.now() - startedAt))} MB/s`;
  };

  const apiServer = (): string =>
    `${process.env['KUBERNETES_SERVICE_HOST'] ?? ''}:${process.env['KUBERNETES_SERVICE_PORT'] ?? ''}`;

  const callApi = async (): Promise<string> => {
    const ca = await readFile(`${account}/ca.crt`);
    const token = (await readFile(`${account}/token`, 'utf8')).trim();
    const url = `https://${apiServer()}/version`;
    const request = https.get(url, { ca, headers: { authorization: `Bearer ${token}` }, timeout: tryMs });
    request.once('timeout', () =>
      request.destroy(Object.assign(new Error(`no answer within ${tryMs / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    const [answer] = await events.once(request, 'response');
    answer.resume();
    if (answer.statusCode !== 200) throw new Error(`${url} answered with ${answer.statusCode}`);
    return url;
  };

  const find = async (question: Question): Promise<string> => {
    switch (question.kind) {
      case 'tcp':
        return expected(await overTcp(question.host, question.port), question.expect);
      case 'udp':
        return expected(await overUdp(question.host, question.port), question.expect);
      case 'name':
        return (await lookup(question.host, { family: 4 })).address;
      case 'transfer':
        return transfer(question.host, question.port, question.bytes);
      case 'silent': {
        const said = await overTcp(question.host, question.port).catch(() => '');
        if (said === question.expect) throw new Error('it still answers');
        return 'nobody answers';
      }
      default:
        return callApi();
    }
  };

  const answerTo = async (question: Question): Promise<Answer> => {
    const startedAt = performance.now();
    for (;;) {
      const triedAt = performance.now();
      try {
        const text = await find(question);
        const since = question.kind === 'silent' ? startedAt : triedAt;
        return { ok: true, ms: performance.now() - since, text };
      } catch (error) {
        const ms = performance.now() - startedAt;
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        const text = error instanceof Error ? error.message : String(error);
        if (ms >= question.withinMs) return { ok: false, ms, code, text };
        await sleep(100);
      }
    }
  };

  const ask: Probe['ask'] = async (questions) => {
    const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
    const nameServers = Array.from(text.matchAll(/^nameserver\s+(\S+)/gm), ([, address = '']) => address);
    const answers = await Promise.all(questions.map(answerTo));
    return { answers, surroundings: { nameServers, apiServer: apiServer() } };
  };

  const main = async ([mode, first = '', second = '']: readonly string[]): Promise<void> => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit());
    if (mode === 'serve') await serve(first, JSON.parse(second));
    else process.stdout.write(JSON.stringify(await ask(JSON.parse(first))), () => process.exit());
  };

  return { serve, ask, main };
}
