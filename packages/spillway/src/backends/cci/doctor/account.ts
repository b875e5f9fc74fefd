import { nanoOf, parseQuantity } from '../../../podspec/quantities.ts';
import { type CciFinding, type CciView, testPodSize, type Trouble } from './view.ts';

type Check = (view: CciView) => readonly CciFinding[];

/** What the account of a pool answered. The gateway, and who we are, come first: without them nothing else was asked. */
export const accountFindings: Check = (view) =>
  [gateway, login, agency, namespace, standing, network, quotas, registry, testPod].flatMap((check) => check(view));

/** The gateway accepts fifteen minutes. */
const notableSkewMs = 60_000;

const gateway: Check = ({ account: { gateway: answer } }) => {
  if (answer === undefined) return [];
  if (!answer.ok) return [found('cci-unreachable', answer.trouble)];
  const { skewMs = 0 } = answer.value;
  if (Math.abs(skewMs) < notableSkewMs) return [];
  const minutes = Math.max(1, Math.round(Math.abs(skewMs) / 60_000));
  return [
    {
      code: 'cci-clock-skew',
      severity: 'warning',
      message: `the clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'behind' : 'ahead of'} that of CCI, which accepts a difference of 15`,
      remedy: 'Synchronize the clock (NTP). Until then, Spillway signs with the time of CCI.',
    },
  ];
};

const login: Check = ({ account: { login: read, accepted } }) => {
  if (read !== undefined && !read.ok) return [found('cci-credential-missing', read.trouble)];
  if (accepted === undefined || accepted.ok) return [];
  return [{ ...other(accepted.trouble, 'cci-credential-refused') }];
};

const agency: Check = ({ account: { agency: answer } }) => {
  if (answer === undefined || (answer.ok && answer.value)) return [];
  // It is left to the administrator, as at the start.
  if (!answer.ok) return answer.trouble.kind === 'unauthorized' ? [] : [other(answer.trouble, 'cci-failed')];
  return [
    {
      code: 'cci-not-authorized',
      severity: 'warning',
      message: 'the account has not authorized CCI in this region (agency cci_admin_trust)',
      remedy:
        'Spillway requests it when it starts. If it is not allowed to, open the CCI console in this region once and agree to the service authorization.',
    },
  ];
};

const namespace: Check = ({ account: { namespace: name, made } }) => {
  if (made === undefined) return [];
  if (!made.ok) {
    const isTaken = made.trouble.reason === 'CCINamespaceTaken';
    return [isTaken ? found('cci-namespace-taken', made.trouble) : other(made.trouble, 'cci-failed')];
  }
  if (made.value) return [];
  return [
    {
      code: 'cci-not-made-yet',
      severity: 'info',
      message: `the CCI namespace ${name} does not exist yet`,
      remedy:
        'Spillway creates it, and its network, when it starts. All accounts share one set of names, so only then does it become clear whether this name is free.',
    },
  ];
};

const standing: Check = ({ account: { standing: answer } }) =>
  answer === undefined || answer.ok ? [] : [other(answer.trouble, 'cci-failed')];

const network: Check = ({ account: { network: answer, namespace: name } }) => {
  if (answer === undefined) return [];
  if (!answer.ok) {
    const { trouble } = answer;
    if (trouble.reason === 'CCINetworkOfOtherSubnet') return [found('cci-network-of-other-subnet', trouble)];
    return [
      trouble.reason === 'CCINetworkNotReady' ? found('cci-network-not-ready', trouble) : other(trouble, 'cci-failed'),
    ];
  }
  const { value } = answer;
  if (value === 'ready') return [];
  if (value === 'missing') {
    return [
      {
        code: 'cci-not-made-yet',
        severity: 'info',
        message: `the CCI namespace ${name} has no network yet`,
        remedy: 'Spillway creates it when it starts.',
      },
    ];
  }
  return [{ ...found('cci-network-not-ready', { kind: 'unavailable', message: value.waiting }), remedy: whatToCheck }];
};

const whatToCheck =
  'This is normal for some seconds after the network was created. If it persists, check that vpcId, networkId and subnetId belong together (subnetId is the Neutron ID), that the subnet has free addresses, that securityGroupId exists, and that the account has authorized CCI.';

/** Of what is hard; the rest is nobody's limit. */
const nearlyAllInTenths = 9n;

const quotas: Check = ({ account: { quotas: answer } }) => {
  if (answer === undefined) return [];
  if (!answer.ok)
    return [
      notChecked(`the quotas of the account: ${answer.trouble.message}`, 'Look at the CCI quotas in the console.'),
    ];
  return answer.value.flatMap(({ metadata, status }) =>
    Object.entries(status?.hard ?? {}).flatMap(([resource, hard]): CciFinding[] => {
      const used = status?.used?.[resource] ?? '0';
      const most = parseQuantity(hard);
      if (!most.ok || nanoOf(used) * 10n < most.nano * nearlyAllInTenths) return [];
      return [
        {
          code: 'cci-quota',
          severity: 'warning',
          object: `ResourceQuota ${metadata?.name ?? ''}`,
          message: `${used} of ${hard} ${resource} are in use in CCI`,
          remedy: 'Have the quota raised. Pods that exceed it wait, or run in another pool.',
        },
      ];
    }),
  );
};

const registry: Check = ({ account: { registry: answer } }) => {
  switch (answer?.kind) {
    case 'noLogin':
      return [
        {
          code: 'cci-registry-login',
          severity: 'info',
          message: 'Spillway has no permanent access key and therefore no SWR login of its own',
          remedy: 'Give Spillway a permanent access key, or use imagePullSecrets for pods with private images in SWR.',
        },
      ];
    case 'refused':
      return [
        {
          code: 'cci-registry-login',
          severity: 'warning',
          message: `${answer.host} rejects the login derived from the access key: ${answer.why}`,
          remedy:
            'Check projectName (if the project is not named like the region) and that the user is allowed to use SWR.',
        },
      ];
    case 'unreachable':
      return [
        notChecked(
          `the login for ${answer.host}, which cannot be reached from this machine: ${answer.why}`,
          'Only CCI has to reach it. To find out whether it does, start a pod with an image from SWR: --run-pod IMAGE.',
        ),
      ];
    default:
      return [];
  }
};

const testPod: Check = ({ account: { testPod: pod } }) => {
  switch (pod?.kind) {
    case 'started':
      return [
        {
          code: 'cci-test-pod-started',
          severity: 'info',
          message: `a pod with ${pod.image} started within ${pod.seconds} s and was removed`,
          remedy: `There is nothing to do. You are billed for ${testPodSize.cpu} CPU and ${testPodSize.memory} for the seconds that it ran.`,
        },
      ];
    case 'failed':
      return [other(pod.trouble, 'cci-test-pod-failed')];
    case 'notMade':
      return [
        notChecked(
          'a test pod: there is no network for it yet',
          'Start spillway serve first, then run this command with --run-pod again.',
        ),
      ];
    default:
      return [];
  }
};

export const notChecked = (what: string, remedy: string): CciFinding => ({
  code: 'cci-not-checked',
  severity: 'info',
  message: `not checked: ${what}`,
  remedy,
});

/** By what kind of trouble it is, and otherwise as `code`. */
function other(trouble: Trouble, code: CciFinding['code']): CciFinding {
  if (trouble.kind === 'blocked') return found('cci-account-blocked', trouble);
  if (trouble.kind === 'unavailable' && code === 'cci-credential-refused') return found('cci-unreachable', trouble);
  return found(code, trouble);
}

const found = (code: CciFinding['code'], { message, remedy }: Trouble): CciFinding => ({
  code,
  severity: 'error',
  message,
  remedy:
    remedy === undefined || remedy === ''
      ? 'Try again; the log of spillway serve has more details.'
      : `${remedy.replace(/\.$/, '')}.`,
});
