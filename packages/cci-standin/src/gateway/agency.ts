import type { ServerResponse } from 'node:http';
import type { Identity } from '../accounts.ts';
import type { RegionFacts } from '../facts.ts';
import { apiRefusal } from '../refusal.ts';
import { answer, refuse } from './answer.ts';

/** /v1/agency: whether the account has authorised CCI to act for it, and doing so. */
export function agencyAnswer(
  facts: Pick<RegionFacts, 'standingOf' | 'setStanding'>,
  method: string,
  { domain }: Identity,
  response: ServerResponse,
): void {
  if (method === 'POST') {
    facts.setStanding(domain.id, { agency: true });
    answer(response, 204);
  } else if (method !== 'GET') {
    refuse(
      response,
      apiRefusal(405, 'MethodNotAllowed', `the server does not allow ${method} on the requested resource`),
    );
  } else if (facts.standingOf(domain.id).agency) {
    answer(response, 200, [{ name: 'cci_admin_trust', domain_id: domain.id }]);
  } else {
    refuse(response, apiRefusal(404, 'NotFound', 'no agency for user', 'CCI.01.404101'));
  }
}
