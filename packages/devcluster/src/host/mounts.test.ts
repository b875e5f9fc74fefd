import { expect, test } from 'vitest';
import { mountsBelow, parseMountinfo } from './mounts.ts';

const sample = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 22 0:26 / /sys/fs/cgroup rw,nosuid master:9 - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
45 22 0:39 / /state/c/a\\040b rw - tmpfs tmpfs rw
46 45 0:40 / /state/c/a\\040b/inner rw - tmpfs tmpfs rw
47 22 0:41 / /state/cc rw - tmpfs tmpfs rw
`;

test('mount points, types and options are read, also with optional fields and escaped blanks', () => {
  const mounts = parseMountinfo(sample);
  expect(mounts.map(({ mountPoint }) => mountPoint)).toEqual([
    '/',
    '/sys/fs/cgroup',
    '/sys/fs/cgroup/cpu,cpuacct',
    '/state/c/a b',
    '/state/c/a b/inner',
    '/state/cc',
  ]);
  expect(mounts[2]).toMatchObject({ fsType: 'cgroup', superOptions: ['rw', 'cpu', 'cpuacct'] });
});

test('what is mounted below a folder is named innermost first, and its neighbours are not named', () => {
  expect(mountsBelow(parseMountinfo(sample), '/state/c')).toEqual(['/state/c/a b/inner', '/state/c/a b']);
});
