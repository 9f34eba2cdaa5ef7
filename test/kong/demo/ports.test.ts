import { createServer, type AddressInfo, type Server } from 'node:net';
import { parseOptions, type DemoOptions } from '../../../kong/demo/options';
import { describeClashes, describeTakenPorts, listNeededPorts } from '../../../kong/demo/ports';

function optionsOf(...args: string[]): DemoOptions {
  const parsed = parseOptions(args);
  if (parsed.kind !== 'run') throw new Error('the flags of this test are wrong');
  return parsed.options;
}

describe('the ports of the demo', () => {
  it('include the one on which nothing must listen, and that of Prometheus only if it is started', () => {
    const numbers = (withPrometheus: boolean): number[] =>
      listNeededPorts(optionsOf(), withPrometheus).map(({ port }) => port);
    expect(numbers(true)).toEqual([8000, 8101, 9765, 9090, 9101, 9102, 9103, 9104, 9105, 9106]);
    expect(numbers(false)).not.toContain(9090);
  });

  it('include that of Spotlight only with --spotlight', () => {
    const spotlight = { port: 18969, purpose: 'Spotlight', flag: '--spotlight-port' };
    const flags = ['--spotlight-port', '18969'];
    expect(listNeededPorts(optionsOf(...flags), false)).not.toContainEqual(spotlight);
    expect(listNeededPorts(optionsOf(...flags, '--spotlight'), false)).toContainEqual(spotlight);
  });

  it('are refused where two programs were given the same', () => {
    const needed = listNeededPorts(optionsOf('--proxy-port', '9103'), false);
    expect(describeClashes(needed)).toEqual([
      "Port 9103 is asked for twice: for the gateway's proxy (--proxy-port) and for demo upstream 3 of 6 (--upstream-base-port).",
    ]);
  });

  it('clash nowhere by default', () => {
    expect(describeClashes(listNeededPorts(optionsOf(), true))).toEqual([]);
  });

  describe.each(['127.0.0.1', '0.0.0.0'])('when another program listens on %s', (host) => {
    let server: Server;
    let taken: number;

    beforeEach(async () => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      taken = (server.address() as AddressInfo).port;
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('are named with the flag that changes them, and free again once it has gone', async () => {
      const needed = [{ port: taken, purpose: 'the sidecar', flag: '--sidecar-port' }];
      const [sentence] = await describeTakenPorts(needed);
      expect(sentence).toMatch(
        new RegExp(`^Port ${taken} \\(the sidecar\\) is taken .* npm start -- --sidecar-port \\d+$`),
      );
      await new Promise((resolve) => server.close(resolve));
      expect(await describeTakenPorts(needed)).toEqual([]);
    });
  });
});
