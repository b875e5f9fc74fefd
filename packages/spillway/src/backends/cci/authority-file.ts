import { errorMessage, readText } from '@spillway/kube';
import { BackendError } from '../backend.ts';

/** The certificate authority of CCI and IAM, where it is not one that the system trusts. @throws BackendError */
export async function readAuthority(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readText(file);
  } catch (cause) {
    const message = `cannot read the certificate authority ${file}: ${errorMessage(cause)}`;
    throw new BackendError('unavailable', message, { cause, remedy: 'Correct ca of the backend, or the file' });
  }
}
