import type { Blob, E2e, ImageSpec, TarEntry } from '@spillway/devcluster';

/** What the images of the tests are made of. */
export interface Parts {
  /** Programs of Debian on which most images of Kubernetes' tests stand: a shell, curl, dig, nc and so on. */
  readonly userland: Blob;
  /** nginx of Debian, on top of the userland. */
  readonly nginx: Blob;
  /** The whole of an image `busybox`. */
  readonly busybox: readonly TarEntry[];
  /** Static programs. */
  readonly program: (name: keyof E2e['programs']) => Uint8Array;
  /** Of Kubernetes' own tree, by path below `test/images`. */
  readonly file: (name: (typeof imageFiles)[number]) => Uint8Array;
}

export const imageFiles = [
  'agnhost/porter/localhost.crt',
  'agnhost/porter/localhost.key',
  'kitten/html/kitten.jpg',
  'kitten/html/data.json',
  'nautilus/html/nautilus.jpg',
  'nautilus/html/data.json',
] as const;

/**
 * The image that Kubernetes' tests expect under a name such as `registry.k8s.io/e2e-test-images/agnhost:2.66.1`; undefined:
 * none of the conformance tests needs it.
 */
export function imageOf(reference: string, parts: Parts): ImageSpec | undefined {
  const [, repository] = /([^/]+):[^:/]+$/.exec(reference) ?? [];
  const spec = repository === undefined ? undefined : specs[repository]?.(parts);
  // Images with equal contents would be one to a container runtime, which then calls both by the name of either.
  return spec && { ...spec, labels: { reference } };
}

const file = (path: string, content: Uint8Array | string, mode = 0o644): TarEntry => ({
  type: 'file',
  path,
  mode,
  content: Buffer.from(content),
});
const executable = (path: string, content: Uint8Array): TarEntry => file(path, content, 0o755);
const link = (path: string, target: string): TarEntry => ({ type: 'symlink', path, target });
const folder = (path: string, mode = 0o755): TarEntry => ({ type: 'directory', path, mode });

/** What installing the packages, which nobody does, would have made. */
const installed: readonly TarEntry[] = [
  folder('tmp', 0o1777),
  file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
  file('etc/group', 'root:x:0:\nmail:x:8:\nnobody:x:65534:\n'),
  file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
  link('bin/nc', 'nc.openbsd'),
  link('usr/bin/awk', 'gawk'),
  link('usr/local/bin/iperf', '/usr/bin/iperf'),
];

/** Applets for what Debian has in packages of its own. */
const applets = ['wget', 'netstat', 'ifconfig', 'route', 'telnet', 'traceroute', 'vi', 'less'];

function userland({ userland: layer, busybox }: Parts, entries: readonly TarEntry[] = []): ImageSpec {
  const box = busybox.filter(({ path }) => path === 'bin/busybox');
  const links = applets.map((name) => link(`usr/local/bin/${name}`, '/bin/busybox'));
  return { base: [layer], entries: [...installed, ...box, ...links, ...entries], command: ['sh'] };
}

function agnhost(parts: Parts, entries: readonly TarEntry[] = []): ImageSpec {
  return {
    ...userland(parts, [
      executable('agnhost', parts.program('agnhost')),
      link('agnhost-2', 'agnhost'),
      executable('coredns', parts.program('coredns')),
      folder('uploads'),
      folder('var/registry'),
      file('localhost.crt', parts.file('agnhost/porter/localhost.crt')),
      file('localhost.key', parts.file('agnhost/porter/localhost.key')),
      // A user in a group that only the image knows of.
      file(
        'etc/passwd',
        'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nuser-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh\n',
      ),
      file(
        'etc/group',
        'root:x:0:\nmail:x:8:\nnobody:x:65534:\nuser-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n',
      ),
      ...entries,
    ]),
    entrypoint: ['/agnhost'],
    command: ['pause'],
  };
}

const nginxConfig = `worker_processes 1;
error_log /dev/stderr;
pid /tmp/nginx.pid;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  server { listen 80; root /usr/share/nginx/html; }
}
`;

const busybox = ({ busybox: entries }: Parts, more: readonly TarEntry[] = []): ImageSpec => ({
  entries: [...entries, ...more],
  command: ['sh'],
});

/** By the last part of the repository's name. */
const specs: Readonly<Record<string, (parts: Parts) => ImageSpec>> = {
  agnhost,
  'glibc-dns-testing': (parts) => userland(parts),
  'ipc-utils': (parts) => userland(parts),
  kitten: (parts) => ({
    ...agnhost(parts, [
      file('kitten.jpg', parts.file('kitten/html/kitten.jpg')),
      file('data.json', parts.file('kitten/html/data.json')),
    ]),
    command: ['test-webserver'],
  }),
  nautilus: (parts) => ({
    ...agnhost(parts, [
      file('nautilus.jpg', parts.file('nautilus/html/nautilus.jpg')),
      file('data.json', parts.file('nautilus/html/data.json')),
    ]),
    command: ['test-webserver'],
  }),
  nginx: (parts) => ({
    base: [parts.userland, parts.nginx],
    entries: [
      ...installed,
      file('etc/nginx/nginx.conf', nginxConfig),
      file(
        'etc/passwd',
        'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n',
      ),
      file('etc/group', 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n'),
      folder('var/log/nginx'),
      folder('var/lib/nginx'),
    ],
    command: ['nginx', '-g', 'daemon off;'],
  }),
  busybox: (parts) => busybox(parts),
  nonroot: (parts) => ({ ...busybox(parts), user: '1234' }),
  nonewprivs: (parts) => ({
    ...busybox(parts, [
      folder('usr/local'),
      folder('usr/local/bin'),
      file('usr/local/bin/nnp', parts.program('nonewprivs'), 0o6755),
    ]),
    command: ['nnp'],
  }),
  'sample-apiserver': (parts) => ({
    ...busybox(parts, [executable('sample-apiserver', parts.program('sample-apiserver'))]),
    entrypoint: ['/sample-apiserver'],
  }),
  etcd: (parts) =>
    busybox(parts, [
      folder('usr/local'),
      folder('usr/local/bin'),
      executable('usr/local/bin/etcd', parts.program('etcd')),
    ]),
  pause: (parts) => ({ entries: [executable('pause', parts.program('pause'))], entrypoint: ['/pause'] }),
};
