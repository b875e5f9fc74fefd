import { EventEmitter } from 'node:events';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type StrangerLimits, Strangers } from './strangers.ts';

/** A connection as far as it is looked at. */
class Peer extends EventEmitter {
  static #ports = 0;
  readonly remoteAddress: string;
  readonly remotePort = (Peer.#ports += 1);
  isOpen = true;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isOpen = false;
    this.emit('close');
  }

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
  readonly socket = this as unknown as Socket;
}

interface Door {
  readonly strangers: Strangers;
  readonly arrive: (address?: string) => Peer;
}

function door(limits: Partial<StrangerLimits> = {}): Door {
  const server = new EventEmitter();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it only tells of connections
  const strangers = new Strangers(server as unknown as Server, { perAddress: 3, inAll: 5, ...limits });
  return {
    strangers,
    arrive: (address = '10.0.0.1') => {
      const peer = new Peer(address);
      server.emit('connection', peer);
      server.emit('secureConnection', peer);
      return peer;
    },
  };
}

const open = (peers: readonly Peer[]): boolean[] => peers.map(({ isOpen }) => isOpen);

describe('connections on which nobody has logged in', () => {
  it('are as many as one address may have: the quietest makes room for one more', () => {
    const { strangers, arrive } = door();
    const peers = [arrive(), arrive(), arrive()];
    strangers.heard(peers[0]!.socket);
    arrive();
    expect(open(peers)).toEqual([true, false, true]);
  });

  it('are as many as there may be in all: the quietest of the address that has most makes room', () => {
    const { arrive } = door();
    const others = [arrive('10.0.0.2'), arrive('10.0.0.3')];
    const peers = [arrive(), arrive(), arrive()];
    const late = arrive('10.0.0.4');
    expect(open([...others, ...peers, late])).toEqual([true, true, false, true, true, true]);
  });

  it('are not those of people who have logged in since', () => {
    const { strangers, arrive } = door();
    const known = arrive();
    strangers.loggedIn(known.socket);
    const peers = [arrive(), arrive(), arrive()];
    expect(open([known, ...peers])).toEqual([true, true, true, true]);
    arrive();
    expect(open([known, ...peers])).toEqual([true, false, true, true]);
  });

  it('leave their place when they are closed', () => {
    const { arrive } = door();
    const peers = [arrive(), arrive(), arrive()];
    peers[1]!.destroy();
    arrive();
    expect(open(peers)).toEqual([true, false, true]);
  });

  it('are closed after their time, and those of people who have logged in are not', async () => {
    const { strangers, arrive } = door({ openMs: 20 });
    const [known, stranger] = [arrive(), arrive()];
    strangers.loggedIn(known.socket);
    await expect.poll(() => stranger.isOpen).toBe(false);
    await delay(40);
    expect(known.isOpen).toBe(true);
  });

  it('may send so many bytes, and those of people who have logged in any number', () => {
    const { strangers, arrive } = door({ bytes: 10 });
    const [known, stranger] = [arrive(), arrive()];
    stranger.emit('data', Buffer.alloc(10));
    expect(stranger.isOpen).toBe(true);
    stranger.emit('data', Buffer.alloc(1));
    expect(stranger.isOpen).toBe(false);
    known.emit('data', Buffer.alloc(10));
    strangers.loggedIn(known.socket);
    known.emit('data', Buffer.alloc(1000));
    expect(known.isOpen).toBe(true);
  });
});
