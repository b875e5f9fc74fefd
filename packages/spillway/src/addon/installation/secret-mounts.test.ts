import { expect, it } from 'vitest';
import { isSuitableFolder } from './secret-mounts.ts';

it.each([
  '/',
  '/etc',
  '/etc/ssl/certs',
  '/etc/spillway',
  '/etc/spillway/files',
  '/root/login',
  '/tmp',
  '/usr/lib',
  '/var/lib/spillway',
])('a Secret does not hide what the pods need: %s', (folder) => expect(isSuitableFolder(folder)).toBe(false));

it.each(['/etc/spillway/cci', '/etc/login', '/home/me/login', '/tmp/a', '/secrets'])(
  'a Secret may be in %s',
  (folder) => expect(isSuitableFolder(folder)).toBe(true),
);
