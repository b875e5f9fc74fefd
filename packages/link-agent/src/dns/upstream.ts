import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { DecodedPacket, Question } from 'dns-packet';
import { readAnswer, writeQuestion } from './message.ts';
import { framed, FrameReader } from './tcp-frames.ts';

// An import would load all that the module can give, such as WebCrypto.
const { randomInt } = process.getBuiltinModule('node:crypto');

export interface UpstreamOptions {
  /** Addresses of name servers, best first; they may change. */
  readonly servers: () => readonly string[];
  /** Default 53. */
  readonly port?: number;
  /** For each attempt. Default 2,000. */
  readonly timeoutMs?: number;
}

/** So many questions may be without an answer: more are not asked. */
const maxUnderWay = 512;
const attempts = 2;

/** Passes messages on to other name servers, as they are. */
export class Upstream {
  readonly #options: UpstreamOptions;
  #underWay = 0;
  #turn = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** The answer as it came; undefined: nobody has answered. Never rejects. */
  async exchange(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    if (this.#underWay >= maxUnderWay) return undefined;
    this.#underWay += 1;
    try {
      const { timeoutMs = 2000, port = 53 } = this.#options;
      const ask = transport === 'udp' ? askByUdp : askByTcp;
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const server = this.#next();
        if (server === undefined) return undefined;
        const answer = await ask(message, { server, port, timeoutMs });
        if (answer !== undefined) return answer;
        // Another one may answer.
        this.#turn += 1;
      }
      return undefined;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Asks a question of our own; what is too long for UDP is asked again over TCP. */
  async ask(question: Question): Promise<DecodedPacket | undefined> {
    const message = writeQuestion(randomInt(65_536), question);
    const answer = await this.exchange(message, 'udp');
    const packet = answer && readAnswer(answer);
    if (packet === undefined || !packet.flag_tc) return packet;
    const whole = await this.exchange(message, 'tcp');
    return whole && readAnswer(whole);
  }

  #next(): string | undefined {
    const servers = this.#options.servers();
    return servers[this.#turn % servers.length];
  }
}

interface Ask {
  readonly server: string;
  readonly port: number;
  readonly timeoutMs: number;
}

const hasId = (answer: Buffer, message: Buffer): boolean =>
  answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0);

function askByUdp(message: Buffer, { server, port, timeoutMs }: Ask): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    const end = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.once('error', () => end(undefined));
    socket.on('message', (answer) => {
      if (hasId(answer, message)) end(answer);
    });
    // Connected: the kernel drops what comes from others.
    socket.connect(port, server, () => socket.send(message));
  });
}

function askByTcp(message: Buffer, { server, port, timeoutMs }: Ask): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: server, port, timeout: timeoutMs });
    const frames = new FrameReader();
    const end = (answer: Buffer | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('timeout', () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', (chunk: Buffer) => {
      const answer = frames.push(chunk).find((each) => hasId(each, message));
      if (answer) end(answer);
    });
    socket.write(framed(message));
  });
}
