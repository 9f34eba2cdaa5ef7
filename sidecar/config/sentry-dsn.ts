// The DSN of a Sentry project: where its envelopes go, and the public key that lets them in.

/** What the SDK takes, and nothing that it would read in another way; old ones have a secret after the key, which nothing needs. */
const DSN =
  /^(?<origin>https?:\/\/)(?<key>\w+)(?::\w*)?@(?<host>(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?)\/(?<path>(?:[\w.-]+\/)*)(?<project>\d+)$/;

/** Whether a text is a DSN. */
export function isDsn(text: string): boolean {
  return DSN.test(text) && URL.canParse(text);
}

/**
 * The address that takes envelopes (https://develop.sentry.dev/sdk/data-model/envelopes/), the key included.
 *
 * @param dsn one that `isDsn` takes
 * @param version of this program
 */
export function envelopeUrlOf(dsn: string, version: string): string {
  const { origin = '', key = '', host = '', path = '', project = '' } = DSN.exec(dsn)?.groups ?? {};
  return `${origin}${host}/${path}api/${project}/envelope/?sentry_version=7&sentry_key=${key}&sentry_client=gatewatch/${version}`;
}
