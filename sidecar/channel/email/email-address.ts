// In: a mail address as the configuration has it. Out: its parts, the domain in the ASCII form that every mail server takes
// (RFC 5890), a name on one line.
import { domainToASCII } from 'node:url';
import { showName } from '../../notify/describe-subject';

export interface EmailAddress {
  /** Empty where the address stands alone. */
  readonly name: string;
  readonly address: string;
}

/** @param text `On call <oncall@example.com>`, or `oncall@example.com` */
export function readAddress(text: string): EmailAddress {
  const [, name = '', named] = /^(.*?) ?<([^<>]+)>$/s.exec(text) ?? [];
  const whole = named ?? text;
  const at = whole.lastIndexOf('@');
  return {
    name: showName(name).trim(),
    address: `${whole.slice(0, at)}@${asciiDomain(whole.slice(at + 1))}`,
  };
}

/** Of one in ASCII it would make what a browser makes of it: an IPv4 address of a number. */
function asciiDomain(domain: string): string {
  return /^[ -~]*$/.test(domain) ? domain : domainToASCII(domain) || domain;
}

export function domainOf({ address }: EmailAddress): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
