import { describe, expect, test } from 'vitest';
import { negotiateRemoteCommand, negotiateWebSocket } from './protocols.ts';

describe('the protocol', () => {
  test.each([
    ['v5.channel.k8s.io,v4.channel.k8s.io,v3.channel.k8s.io,v2.channel.k8s.io,channel.k8s.io', 'v4.channel.k8s.io'],
    ['v5.channel.k8s.io, v4.channel.k8s.io', 'v4.channel.k8s.io'],
    ['v2.channel.k8s.io', 'v2.channel.k8s.io'],
    ['channel.k8s.io', 'channel.k8s.io'],
  ])('over SPDY of a client that offers %s is %s', (offered, chosen) => {
    expect(negotiateRemoteCommand(offered).name).toBe(chosen);
  });

  test.each([
    ['v5.channel.k8s.io', 'v5.channel.k8s.io'],
    ['v4.channel.k8s.io, v5.channel.k8s.io', 'v4.channel.k8s.io'],
    ['v4.base64.channel.k8s.io', 'v4.base64.channel.k8s.io'],
    ['something.else, base64.channel.k8s.io', 'base64.channel.k8s.io'],
    [undefined, ''],
  ])('over WebSocket of a client that offers %s is %j', (offered, chosen) => {
    expect(negotiateWebSocket(offered).name).toBe(chosen);
  });

  test('that nobody knows is refused with the list of those that are', () => {
    expect(() => negotiateRemoteCommand('v9.channel.k8s.io')).toThrow(
      /client supports v9.channel.k8s.io, server accepts v4/,
    );
    expect(() => negotiateWebSocket('v9.channel.k8s.io')).toThrow(expect.objectContaining({ status: 403 }));
    expect(() => negotiateRemoteCommand(undefined)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
