import type { Region } from '@spillway/cci-standin';

/** A call of the region's administrator, such as `POST faults`. @throws when it is refused */
export async function askAdmin(
  { admin: { endpoint, token } }: Pick<Region, 'admin'>,
  method: string,
  path: string,
  body?: object,
): Promise<void> {
  const { ok, status } = await fetch(`${endpoint}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!ok) throw new Error(`${method} ${path} was answered ${status}`);
}
