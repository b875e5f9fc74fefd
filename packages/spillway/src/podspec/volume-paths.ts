const maxPathLength = 4096;
const maxNameLength = 255;

/**
 * Why a path may not be used inside a volume: it must be relative and must not leave the volume; names that begin with `..`
 * are taken by the volume's own bookkeeping. The kubelet's rule for projected files and for `subPath`.
 */
export function volumePathError(path: string): string | undefined {
  if (path === '') return 'invalid path: must not be empty';
  if (path.startsWith('/')) return `invalid path: must be relative path: ${path}`;
  if (path.includes('\0')) return 'invalid path: must not contain a NUL character';
  if (path.length > maxPathLength) return `invalid path: must be less than or equal to ${maxPathLength} characters`;
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) return `invalid path: must not contain '..': ${path}`;
  if (names[0]?.startsWith('..')) return `invalid path: must not start with '..': ${path}`;
  const long = names.some((name) => Buffer.byteLength(name) > maxNameLength);
  if (long) return `invalid path: filenames must be less than or equal to ${maxNameLength} characters`;
  if (names.length === 0) return `invalid path: names no file: ${path}`;
  return undefined;
}
