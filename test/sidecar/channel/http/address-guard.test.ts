import type { LookupAddress } from 'node:dns';
import { Agent } from 'undici';
import {
  PRIVATE_ADDRESS_CODE,
  publicConnector,
  publicLookup,
} from '../../../../sidecar/channel/http/address-guard';
import { sendRequest } from '../../../../sidecar/channel/http/send-request';
import { isPublicAddress } from '../../../../sidecar/config/public-address';
import { Secret } from '../../../../sidecar/config/secret';
import { WebhookReceiver } from '../../../support/webhook-receiver';

// https://www.iana.org/assignments/iana-ipv4-special-registry/ and iana-ipv6-special-registry/, with the first and the last of a range.
const CLOSED: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.255.255.255'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'carrier-grade NAT': ['100.64.0.0', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local, where clouds tell credentials': ['169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1'],
  "Azure's service of credentials": ['168.63.129.16'],
  'assignments of the IETF': ['192.0.0.1', '192.0.0.192'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'relays of 6to4': ['192.88.99.1'],
  benchmarks: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'reserved and broadcast': ['240.0.0.1', '255.255.255.255'],
  unspecified: ['::'],
  'IPv4 in IPv6': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0:127.0.0.1',
  ],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::7f00:1'],
  '6to4': ['2002:7f00:1::', '2002:808:808::1'],
  Teredo: ['2001::1', '2001:0:53aa:64c:0:0:80ff:fffe'],
  'unique local': ['fc00::1', 'fd12:3456::1'],
  'site-local of old': ['fec0::1'],
  'segment routing': ['5f00::1'],
  'given out to nobody': ['4000::1', '8000::1', 'e000::1', '1::1'],
  'no address': ['', 'localhost', '1.2.3', '127.1 ', '::g', 'fe80::1%lo'],
};

const OPEN = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001::200e',
  '2001:4860:4860::8888',
  '2620:fe::fe',
];

describe('a public address', () => {
  it.each(OPEN)('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(Object.entries(CLOSED))('is none of %s', (_, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });
});

/** The name servers say this of every name. */
function saying(...addresses: readonly string[]): Parameters<typeof publicLookup>[0] {
  const all = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_name, _options, answered) => answered(null, all);
}

function lookUp(ask: Parameters<typeof publicLookup>[0], all: boolean): Promise<unknown> {
  return new Promise((resolve) => {
    publicLookup(ask)('name.example', { all }, (error, address, family) =>
      resolve(error ? { code: error.code } : { address, family }),
    );
  });
}

describe('a name', () => {
  it('leads to the public ones of its addresses only', async () => {
    const ask = saying('127.0.0.1', '1.1.1.1', '::1', '2606:4700:4700::1111');
    await expect(lookUp(ask, true)).resolves.toEqual({
      address: [
        { address: '1.1.1.1', family: 4 },
        { address: '2606:4700:4700::1111', family: 6 },
      ],
    });
    await expect(lookUp(ask, false)).resolves.toEqual({ address: '1.1.1.1', family: 4 });
  });

  it('leads nowhere where it has private ones only', async () => {
    await expect(lookUp(saying('10.0.0.1', 'fd00::1'), true)).resolves.toEqual({
      code: PRIVATE_ADDRESS_CODE,
    });
  });

  it('that is not found is told as such', async () => {
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    await expect(lookUp((_name, _options, answered) => answered(error, []), true)).resolves.toEqual({
      code: 'ENOTFOUND',
    });
  });
});

describe('a request past the guard', () => {
  let receiver: WebhookReceiver;

  beforeEach(async () => {
    receiver = await WebhookReceiver.start();
  });
  afterEach(() => receiver.close());

  function request(host: string, ask?: Parameters<typeof publicLookup>[0]): Promise<unknown> {
    const { port } = new URL(receiver.url());
    return sendRequest({
      url: new Secret(`http://${host}:${port}/`),
      method: 'POST',
      headers: {},
      body: '{}',
      timeoutMs: 5_000,
      dispatcher: new Agent({ connect: publicConnector({}, ask) }),
    });
  }

  // Spellings of one address that the parser of URLs knows: https://url.spec.whatwg.org/#concept-ipv4-parser
  it.each([
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '0x7f000001',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:0:0:1]',
    '①②⑦.0.0.1',
    'localhost',
    'LOCALHOST',
  ])('never reaches this machine, spelt %s', async (host) => {
    await expect(request(host)).resolves.toEqual({ kind: 'no_answer', code: PRIVATE_ADDRESS_CODE });
    expect(receiver.requests).toEqual([]);
  });

  it('never reaches it by a name that was public when it was asked before', async () => {
    let asked = 0;
    const rebinding: Parameters<typeof publicLookup>[0] = (name, options, answered) => {
      asked += 1;
      const addresses = asked === 1 ? ['1.1.1.1'] : ['127.0.0.1'];
      saying(...addresses)?.(name, options, answered);
    };
    await lookUp(rebinding, true);
    await expect(request('rebinding.example', rebinding)).resolves.toEqual({
      kind: 'no_answer',
      code: PRIVATE_ADDRESS_CODE,
    });
    expect([asked, receiver.requests]).toEqual([2, []]);
  });
});
